"""The contract of the slot `scopes_backend`. Subclass ScopesBackendContract and override its fixture `backend`."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import pytest

from portula.plugin import Application, ScopesBackend


class ScopesBackendContract:
    """What is true of every scopes backend.

    Example:
        class TestMyScopes(ScopesBackendContract):
            @pytest.fixture
            def backend(self):
                return MyScopes()
    """

    @pytest.fixture
    def backend(self) -> ScopesBackend:
        """Return the backend, with at least one scope. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def application(self) -> Application:
        """Return a client that may ask for a scope. Override it if not every client may."""
        return Application(client_id="contract")

    @pytest.fixture
    def stranger(self) -> Application:
        """Return a client that the backend has never heard of."""
        return Application(client_id="nobody-knows-me", scope="")

    def test_every_scope_has_a_text(self, backend: ScopesBackend) -> None:
        scopes = backend.get_all_scopes()
        assert isinstance(scopes, Mapping)
        assert scopes
        assert {type(text) for text in scopes.values()} == {str}

    def test_names_have_the_characters_of_rfc_6749(self, backend: ScopesBackend) -> None:
        for name in backend.get_all_scopes():
            assert name
            assert all("!" <= character <= "~" and character not in '"\\' for character in name), name

    def test_a_client_may_ask_only_for_scopes_that_exist(
        self, backend: ScopesBackend, application: Application
    ) -> None:
        available = backend.get_available_scopes(application)
        assert isinstance(available, Sequence)
        assert not isinstance(available, str)
        assert available
        assert set(available) <= backend.get_all_scopes().keys()

    def test_the_default_is_among_what_a_client_may_ask_for(
        self, backend: ScopesBackend, application: Application
    ) -> None:
        default = backend.get_default_scopes(application)
        assert isinstance(default, Sequence)
        assert not isinstance(default, str)
        assert set(default) <= set(backend.get_available_scopes(application))

    def test_no_scope_is_named_twice(self, backend: ScopesBackend, application: Application) -> None:
        for names in (backend.get_available_scopes(application), backend.get_default_scopes(application)):
            assert len(set(names)) == len(names)

    def test_a_stranger_gets_no_scope_that_does_not_exist(
        self, backend: ScopesBackend, stranger: Application
    ) -> None:
        available = set(backend.get_available_scopes(stranger))
        assert available <= backend.get_all_scopes().keys()
        assert set(backend.get_default_scopes(stranger)) <= available

    def test_it_may_be_asked_without_a_client(self, backend: ScopesBackend) -> None:
        available = set(backend.get_available_scopes())
        assert available <= backend.get_all_scopes().keys()
        assert set(backend.get_default_scopes(None, None)) <= available
        assert set(backend.get_available_scopes(application=None, request=None)) == available

    def test_one_client_does_not_change_the_answer_to_another(
        self, backend: ScopesBackend, application: Application, stranger: Application
    ) -> None:
        before = self._answers(backend, application)
        self._answers(backend, stranger)
        assert self._answers(backend, application) == before

    def test_nobody_can_change_an_answer(self, backend: ScopesBackend, application: Application) -> None:
        before = self._answers(backend, application)
        scopes: Any = backend.get_all_scopes()
        if isinstance(scopes, MutableMapping):
            scopes["contract:added"] = "Everything"
        for names in (backend.get_available_scopes(application), backend.get_default_scopes(application)):
            if isinstance(names, MutableSequence):
                names.append("contract:added")
        assert self._answers(backend, application) == before

    @staticmethod
    def _answers(backend: ScopesBackend, application: Application) -> tuple[object, ...]:
        return (
            dict(backend.get_all_scopes()),
            tuple(backend.get_available_scopes(application)),
            tuple(backend.get_default_scopes(application)),
        )
