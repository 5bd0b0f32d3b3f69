"""What devices do, and the people who type their codes (RFC 8628)."""

from security.driving import PASSWORD

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = (GRANT, "refresh_token")


def television(house, **fields):
    """Register a client whose devices ask."""
    return house.client(**{"name": "A television", "grant_types": GRANTS, "redirect_uris": (), **fields})


def asked(house, party, door=None, headers=None, address="127.0.0.1", **form):
    """Ask for codes from an address, and return the answer."""
    given = {name: value for name, value in {"scope": "openid read", **form}.items() if value is not None}
    return (door or house.door()).post(
        "/o/device_authorization/",
        {**party.body, **given},
        {**party.auth, **(headers or {})},
        environ_base={"REMOTE_ADDR": address},
    )


def begun(house, party, **form):
    """Ask for codes, and return their members."""
    answer = asked(house, party, **form)
    assert answer.status_code == 200, answer.text
    return answer.json


def poll(house, party, codes, door=None, **form):
    """Poll for tokens."""
    door = door or house.door()
    return door.token(party, grant_type=GRANT, device_code=codes["device_code"], **form)


def typed(browser, code):
    """Type a code, and go as far as the browser is sent."""
    page = browser.get("/o/device/")
    return followed(browser, browser.submit(page, "device-continue", user_code=code))


def followed(browser, answer):
    """Go where the browser is sent, up to a page."""
    while answer.status_code in (302, 303):
        answer = browser.get(answer.location)
    return answer


def to_page(browser, code, username="ann", password=PASSWORD):
    """Type a code and sign in where that is asked; return the page that asks, or what else comes."""
    page = typed(browser, code)
    if page.request.path == "/accounts/login/":
        signed_in = browser.submit(page, "login-submit", username=username, password=password)
        page = followed(browser, signed_in)
    return page


def answered(browser, code, button="consent-allow", **whom):
    """Go the whole way, and return the page after the answer."""
    return followed(browser, browser.submit(to_page(browser, code, **whom), button))
