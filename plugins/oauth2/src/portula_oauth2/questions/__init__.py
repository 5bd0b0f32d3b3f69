"""Answers to oauthlib's questions, a file for what each part understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import OAuth2Validator, hookimpl
from portula_oauth2.questions.bearer import BearerQuestions
from portula_oauth2.questions.clients import ClientQuestions
from portula_oauth2.questions.codes import CodeQuestions
from portula_oauth2.questions.refresh import RefreshQuestions
from portula_oauth2.questions.revocation import RevocationQuestions
from portula_oauth2.questions.tokens import TokenQuestions

if TYPE_CHECKING:
    from portula import Provider

MIXINS = (
    ClientQuestions,
    CodeQuestions,
    RefreshQuestions,
    TokenQuestions,
    RevocationQuestions,
    BearerQuestions,
)
"""The parts, none of which answers a question of another."""


@hookimpl
def portula_validator_mixins(provider: Provider) -> list[type[OAuth2Validator]]:
    """Return the parts."""
    return list(MIXINS)


@hookimpl
def portula_validator_class(provider: Provider) -> type[OAuth2Validator]:
    """Return the class that overrides nothing: what the parts of all rooms say holds."""
    return OAuth2Validator
