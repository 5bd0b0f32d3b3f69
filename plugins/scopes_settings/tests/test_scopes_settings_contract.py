"""Scopes from settings hold to the contract of scopes backends."""

import pytest

import portula_scopes_settings
from portula import Plugin
from portula_testing.contracts import ScopesBackendContract
from portula_testing.provider import make_provider

SCOPES = {"notes:read": "Read your notes", "notes:write": "", "https://api.example/all": "Everything"}


class TestSettingsScopes(ScopesBackendContract):
    @pytest.fixture(
        params=[
            {},
            {"SCOPES": SCOPES},
            {"SCOPES": SCOPES, "DEFAULT_SCOPES": ["notes:read"]},
            {"SCOPES": SCOPES, "DEFAULT_SCOPES": []},
        ],
        ids=["defaults", "all", "one", "none"],
    )
    def backend(self, request):
        return make_provider(portula_scopes_settings, settings=request.param).hooks.ask(
            Plugin.portula_scopes_backend
        )
