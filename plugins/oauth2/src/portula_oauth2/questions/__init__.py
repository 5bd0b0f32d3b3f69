"""Answers to oauthlib's questions, a file for what each part understands."""

from portula_oauth2.questions.bearer import BearerQuestions
from portula_oauth2.questions.clients import ClientQuestions
from portula_oauth2.questions.codes import CodeQuestions
from portula_oauth2.questions.refresh import RefreshQuestions
from portula_oauth2.questions.revocation import RevocationQuestions
from portula_oauth2.questions.tokens import TokenQuestions

MIXINS = (
    ClientQuestions,
    CodeQuestions,
    RefreshQuestions,
    TokenQuestions,
    RevocationQuestions,
    BearerQuestions,
)
"""The parts, none of which answers a question of another."""
