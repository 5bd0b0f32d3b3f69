"""Attack S58: no page shows what could be presented or compared. Attack S11: names are text."""

import html

import pytest

from portula.plugin import AccessToken, Grant, RefreshToken, User
from portula_testing.writing import change_in

PAYLOAD = '"><svg onload=alert(1)><script>alert(2)</script>{{7*7}}'
PAGES = (
    "/",
    "/application/",
    "/application/view/?id=app",
    "/application/edit/?id=app",
    "/access-token/",
    "/refresh-token/",
    "/grant/",
    "/system/",
)


def everything(admin):
    """Return the text of every page there is."""
    paths = [
        *PAGES,
        *(
            f"/{slug}/view/?id={record.digest[:12]}"
            for slug, cls in (
                ("access-token", AccessToken),
                ("refresh-token", RefreshToken),
                ("grant", Grant),
            )
            for record in admin.storage.select(cls)
        ),
    ]
    return {path: admin.get(path).text for path in paths}


def test_no_page_shows_a_digest_a_secret_or_a_payload(make):
    admin = make(SECRET_KEYS=("a key that nobody may see",))
    client = admin.client(metadata={"jwks": {"keys": ["metadata-of-rooms"]}})
    admin.provider.clients.add_secret("app")
    secret = {"room": {"nonce": "payload-of-rooms"}}
    admin.access("a", payload=secret)
    admin.refresh("r", sealed="sealed-of-token")
    admin.grant("g", code_challenge="challenge-of-code")
    never = [
        client.secret,
        *(stored.partition(":")[2] for stored in admin.found().secret_hashes),
        "DIGEST",
        "payload-of-rooms",
        "metadata-of-rooms",
        "challenge-of-code",
        "a key that nobody may see",
    ]
    for path, text in everything(admin).items():
        assert [word for word in never if word in text] == [], path
    asked = {**admin.token_field("/access-token/"), "pick-a-----------": "on", "action": "revoke_selected"}
    assert "DIGEST" not in admin.post("/access-token/action/", asked, 200).text


def test_no_address_of_a_page_holds_a_digest(admin):
    for number in range(60):
        admin.access(f"t{number}")
    assert "DIGEST" not in admin.get("/access-token/").text


def test_secrets_among_the_settings_are_hidden(make):
    admin = make(SECRET_KEYS=("a key that nobody may see",))
    page = admin.get("/system/").text
    assert "SECRET_KEYS" in page
    assert "&lt;hidden&gt;" in page


@pytest.mark.parametrize("payload", [PAYLOAD, "</title><script>x</script>", "'; DROP TABLE", "{% raise %}"])
def test_names_are_text_on_every_page(admin, payload):
    admin.login.sign_in_as(User("ada", payload, is_admin=True))
    admin.login.users["bob"] = User("bob", payload)
    admin.client(
        name=payload, scope="read", metadata={"client_uri": "https://a.example/?" + html.escape("<b>")}
    )
    admin.access("a", subject="bob", scope=f"read {payload}")
    admin.refresh("r")
    admin.grant("g", redirect_uri=f"https://a.example/{payload}")
    for path, text in everything(admin).items():
        assert payload not in text or payload == "{% raise %}" or "<" not in payload, path
        assert "<svg" not in text
        assert "<script" not in text
    searched = admin.get("/access-token/", q=payload, status=payload, client_id=payload).text
    assert "<svg" not in searched
    assert "<script" not in searched


def test_a_name_that_turns_the_direction_of_writing_is_shown_without_that(admin):
    record = admin.client(name="plain").record
    change_in(admin.storage, type(record), {"client_id": "app"}, name="evil\u202etxt.exe")
    page = admin.get("/application/").text
    assert "\u202e" not in page
    assert "eviltxt.exe" in page


def test_a_logo_is_an_https_image_or_none(admin):
    admin.client(metadata={"logo_uri": "http://a.example/logo.png"})
    assert "<img" not in admin.get("/application/view/?id=app").text
