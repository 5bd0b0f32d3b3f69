"""What is wrong with a configuration is told at once, in words that say how to mend it."""

import re

import pytest
from hosting import make_app, make_provider

from portula import ConfigError, Provider, hookimpl
from portula.errors import BrokenPlugin


@pytest.mark.parametrize(
    ("blocked", "told"),
    [
        (
            ["consent", "generators"],
            (
                "slot 'access_token_generator': nothing answers; {generators}",
                "slot 'consent': nothing answers; {consent}",
            ),
        ),
        (["storage_sql"], ("STORAGE: name the default store; installed: none; {storage_sql}",)),
    ],
)
def test_what_is_blocked_is_not_told_to_be_installed_and_all_of_it_is_told(blocked, told):
    with pytest.raises(ConfigError) as caught:
        Provider(make_app(PLUGINS_BLOCKED=[*blocked, "storage_redis"]))
    remedies = {name: f"PLUGINS_BLOCKED names {name!r}; take it out of there" for name in blocked}
    assert caught.value.findings == tuple(text.format(**remedies) for text in told)


def test_all_wrong_answers_of_one_plugin_are_told_together():
    class Wrong:
        @hookimpl
        def portula_clock(self, provider):
            return 5

        @hookimpl
        def portula_consent(self, provider):
            return 7

    with pytest.raises(BrokenPlugin) as caught:
        make_provider(Wrong())
    assert [re.search(r": (\w+) answers", finding)[1] for finding in caught.value.findings] == [
        "portula_clock",
        "portula_consent",
    ]
