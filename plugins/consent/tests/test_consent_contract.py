"""The consent page and its memory hold to the contract of consent."""

import pytest

import portula_consent
import portula_scopes_settings
from portula_testing.contracts import ConsentContract
from portula_testing.provider import make_provider


class TestConsentPages(ConsentContract):
    @pytest.fixture(params=["http", "https"])
    def provider(self, request):
        settings = {"OIDC_ISS_ENDPOINT": "https://id.example/o"} if request.param == "https" else {}
        return make_provider(portula_scopes_settings, portula_consent, settings=settings)
