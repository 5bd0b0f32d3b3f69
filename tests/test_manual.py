"""The examples of the manual and the README run, and their links lead somewhere."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hosting import make_client, make_provider
from pydantic import BaseModel, Field

from portula import Plugin
from portula.errors import InvalidClientMetadata
from portula_oauth2.settings import OAuth2Settings

ROOT = Path(__file__).resolve().parents[1]

sys.path.insert(0, str(ROOT / "docs" / "_ext"))
import portula_reference  # noqa: E402 - it stands with the manual, which is no package
import portula_settings_reference  # noqa: E402

MODELS = [(room, model) for room, models in portula_reference.models().items() for model in models]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def blocks(page):
    """Return the Python of a page."""
    return re.findall(
        r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def run(page, name):
    """Run the block of a page that defines a name, and return what it names."""
    (block,) = [block for block in blocks(page) if re.search(rf"^class {name}\b", block, re.MULTILINE)]
    namespace = {"__name__": "manual"}
    exec(block, namespace)
    return namespace[name]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "_build" not in page.parts], ids=lambda path: path.name
)
def test_links_to_files_lead_somewhere(page):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize(("room", "model"), MODELS)
def test_every_setting_is_in_the_manual_with_its_text_type_and_default(room, model):
    manual = portula_reference.settings_markdown()
    page = portula_reference.room_markdown(room) if room != "core" else manual
    for name in model.model_fields:
        section = manual.partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]
        assert re.match(r"\n\S.*", section), f"{name} has no text"
        assert "\n- Type: " in section
        assert "\n- Default: " in section
        assert f"`{name}`" in page


def test_the_manual_hides_defaults_that_are_secrets():
    class Vault(BaseModel):
        VAULT_PASSWORD: str = "hunter2"
        """Opens the vault."""

        VAULT_DOORS: int = Field(default=2, ge=1, lt=9)
        """How many it has."""

    password, doors = portula_settings_reference.entries(Vault)
    assert (password.text, password.default) == ("Opens the vault.", "`<hidden>`")
    assert (doors.type, doors.default, doors.bounds) == ("integer", "`2`", "at least 1, below 9")


def test_the_manual_has_every_command():
    manual = portula_reference.commands_markdown()
    for command in ("serve", "createuser", "createapplication", "db upgrade"):
        assert f"\n## `portula {command}`\n" in manual
    assert "| `--trusted-proxies` *INTEGER RANGE* | Reverse proxies in front. |" in manual


def test_the_worked_example_of_a_plugin_does_what_it_says():
    shop = run("docs/plugins.md", "Shop")()
    provider = make_provider(shop, PLUGINS_CHOICE={"client_id_generator": "Shop"})
    client, secret = make_client(provider, client_id="")
    assert client.client_id.startswith("shop-")
    with pytest.raises(InvalidClientMetadata, match="this name is ours"):
        make_client(provider, name="admin")
    data = {"grant_type": "client_credentials", "scope": "read"}
    provider.app.test_client().post("/o/token/", data=data, auth=(client.client_id, secret))
    assert [line[1:] for line in shop.log] == [(client.client_id, ("read",))]


def test_the_example_of_a_guarded_endpoint_does_what_it_says():
    provider = make_provider(run("docs/plugins.md", "Cups"))
    client, secret = make_client(provider, scope="read write")
    http = provider.app.test_client()

    def ask(**headers):
        return http.get("/o/cups/", headers=headers)

    def token(scope):
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = http.post("/o/token/", data=form, auth=(client.client_id, secret))
        return {"Authorization": f"Bearer {answer.json['access_token']}"}

    assert ask(**token("read")).json == {"cups": 3, "of": client.client_id}
    refused = [ask(), ask(Authorization="Bearer wrong"), ask(**token("write"))]
    assert [answer.status_code for answer in refused] == [401, 401, 403]
    assert all('scope="read"' in answer.headers["WWW-Authenticate"] for answer in refused)


def test_the_example_of_settings_does_what_it_says():
    room = run("docs/plugins.md", "ShopWithSettings")
    assert make_provider(room).metadata_document["shop_limit"] == 10
    assert make_provider(room, SHOP_LIMIT=3).metadata_document["shop_limit"] == 3


def test_the_example_of_a_validator_class_is_folded_before_the_rooms():
    validator = make_provider(OAUTH2_VALIDATOR_CLASS=run("docs/plugins.md", "PatientValidator")).validator
    assert type(validator).__mro__[1].__name__ == "PatientValidator"


def test_the_readme_shows_the_smallest_example_as_it_is():
    (shown,) = [block for block in blocks("README.md") if "Provider(app)" in block]
    code = (ROOT / "examples" / "minimal" / "app.py").read_text(encoding="utf-8")
    assert re.sub(r"  #.*", "", shown) == code


def test_an_application_that_embeds_it_as_start_shows_tells_userinfo_who_signed_in(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "0123456789abcdef0123456789abcdef")
    made, site = (
        block for block in blocks("docs/start.md") if "Flask(__name__)" in block or "SiteLogin" in block
    )
    person = SimpleNamespace(id=7, name="ann", full_name="Ann Example", email="ann@example.com", active=True)
    namespace = {"__name__": "manual", "load_user": {"7": person}.get}
    exec(made, namespace)
    app = namespace["app"]
    app.instance_path = str(tmp_path)
    app.add_url_rule("/login", "login", lambda: "Who are you?")
    exec(site, namespace)
    provider = namespace["provider"]
    assert provider.issuer == "https://notes.example.com/o"
    assert "userinfo_endpoint" in provider.metadata_document
    login = provider.hooks.ask(Plugin.portula_login)
    assert login.find("7").claims["name"] == "Ann Example"
    assert login.find("8") is None
    with app.test_request_context():
        assert login.login_url("/o/authorize/") == "/login?next=/o/authorize/"


def test_the_settings_that_start_shows_are_accepted():
    namespace = {}
    (block,) = [block for block in blocks("docs/start.md") if "PREFERRED_URL_SCHEME" in block]
    exec(block, namespace)
    provider = make_provider(**namespace["OAUTH2_PROVIDER"])
    assert provider.settings(OAuth2Settings).ACCESS_TOKEN_EXPIRE_SECONDS == 600
    assert provider.issuer == "https://id.example.com/o"
