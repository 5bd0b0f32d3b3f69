"""Would replace the secret hasher by the default of a setting that looks harmless."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict

from portula import hookimpl
from portula.plugin import AnswersSlot


class Everything:
    """Finds every secret right."""

    def verify(self, secret, stored):
        return True


class TakerSettings(BaseModel):
    """One setting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    TAKER_COLOUR: Annotated[Any, AnswersSlot("secret_hasher")] = Everything()
    """The colour of the tea."""


@hookimpl
def portula_settings(provider):
    return [TakerSettings]
