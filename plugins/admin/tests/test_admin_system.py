"""The page about the provider itself, and what the demo says."""

from portula import Plugin
from portula.plugin import Finding, Level


class Shop(Plugin):
    """Finds something, and is shown among the plugins."""

    def portula_checks(self, provider):
        return [Finding("tea.cold", Level.WARNING, "The tea is <cold>.", "Make new tea.", "RFC 2324 §2.3.2")]


def test_one_page_shows_findings_plugins_hooks_and_settings(make):
    page = make(Shop(), PROVIDER_NAME="House").get("/system/").text
    for words in (
        "The tea is &lt;cold&gt;.",
        "Make new tea.",
        "tea.cold",
        "RFC 2324 §2.3.2",
        "portula-admin",
        "Shop",
        "portula_validate_token_request",
        "ADMIN_PATH",
        "Path below the mount point where the pages stand.",
        "&#39;House&#39;",
        "configured",
    ):
        assert words in page, words
    assert page.count("<details open>") == page.count("not as by default") >= 1
    assert "<details>" in page


def test_the_demo_tells_where_the_admin_is(make):
    admin = make(OIDC_ISS_ENDPOINT="https://id.example/o", ADMIN_PATH="/desk")
    with admin.provider.app.app_context():
        assert admin.provider.hooks.collect(Plugin.portula_demo)["Admin"] == "https://id.example/o/desk/"
