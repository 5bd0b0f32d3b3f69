"""A device gets tokens from the first request to the refresh: RFC 8628 §3."""

import re

from support.devices import GRANT, answered, asked, begun, followed, poll, television, to_page, typed

from portula.plugin import Artifact, Authorization


def test_a_request_is_answered_by_two_codes(world, party):
    answer = asked(world, party)
    assert answer.headers["Cache-Control"] == "no-store"
    members = answer.json
    assert re.fullmatch(r"[\w-]{43}", members.pop("device_code"))
    code = members.pop("user_code")
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", code)
    assert members == {
        "verification_uri": "https://id.example/o/device/",
        "verification_uri_complete": f"https://id.example/o/device/?user_code={code}",
        "expires_in": 600,
        "interval": 5,
    }


def test_a_person_types_the_code_and_the_device_gets_all_tokens(world, browser, party):
    codes = begun(world, party)
    assert poll(world, party, codes).json["error"] == "authorization_pending"
    page = to_page(browser, codes["user_code"])
    for told in ("A television", codes["user_code"], "Asked on", "Asked from", "the network that you are in"):
        assert told in page.text
    done = followed(browser, browser.submit(page, "consent-allow"))
    assert "The device is connected" in done.text
    tokens = poll(world, party, codes).json
    assert tokens["scope"] == "openid read"
    claims = world.read(tokens["id_token"], party)
    assert "nonce" not in claims
    (given,) = [
        kept for kept in world.provider.storage.select(Authorization) if kept.client_id == party.client_id
    ]
    assert claims["sid"] == world.provider.validator.sid_for(given.sid, party.client_id)
    assert claims["auth_time"] == given.auth_time
    assert world.door().is_active(party, tokens["access_token"])
    assert world.door().refresh(party, tokens["refresh_token"]).status_code == 200
    assert poll(world, party, codes).json["error"] == "invalid_grant"


def test_what_a_person_denies_it_does_not_get(world, browser, party):
    codes = begun(world, party)
    assert "The device gets nothing" in answered(browser, codes["user_code"], "consent-deny").text
    for _ in range(2):
        assert poll(world, party, codes).json["error"] == "access_denied"


def test_the_address_with_the_code_fills_it_in_and_skips_nothing(world, browser, party):
    browser.sign_in()
    codes = begun(world, party)
    page = browser.get(codes["verification_uri_complete"].removeprefix("https://id.example"))
    assert f'value="{codes["user_code"]}"' in page.text
    kept = [
        each for each in world.provider.storage.select(Artifact, limit=1000) if each.kind == "device code"
    ]
    assert not any("claimed_by" in each.payload for each in kept if each.client_id == party.client_id)
    asks = followed(browser, browser.submit(page, "device-continue"))
    assert "consent-allow" in asks.text
    assert poll(world, party, codes).json["error"] == "authorization_pending"


def test_case_and_hyphens_do_not_matter(world, browser, party):
    browser.sign_in()
    code = begun(world, party)["user_code"]
    for form in (code.lower(), code.replace("-", ""), f" {code[:4]} . {code[5:].lower()} "):
        assert "consent-allow" in typed(browser, form).text


def test_the_pages_after_the_answer_can_be_loaded_again(world, browser, party):
    done = answered(browser, begun(world, party)["user_code"])
    assert browser.get(done.request.path).status_code == 200


def test_a_public_client_asks_by_its_client_id(world, browser):
    party = television(world, client_type="public")
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    assert poll(world, party, codes).json["token_type"] == "Bearer"


def test_what_it_got_is_among_the_connected_apps(world, browser, party):
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    tokens = poll(world, party, codes).json
    apps = browser.get("/o/authorized_tokens/")
    assert "A television" in apps.text
    form = re.search(rf'value="{party.client_id}"', apps.text)
    assert form
    assert world.door().is_active(party, tokens["access_token"])
    world.change(party, disabled=True)
    assert poll(world, party, codes).json["error"] == "invalid_client"


def test_the_metadata_has_endpoint_and_grant_type(world):
    metadata = world.door().open("/o/.well-known/oauth-authorization-server").json
    assert metadata["device_authorization_endpoint"] == "https://id.example/o/device_authorization/"
    assert GRANT in metadata["grant_types_supported"]
