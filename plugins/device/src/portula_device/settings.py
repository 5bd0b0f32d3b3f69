"""Settings of the device authorization grant, by the names that django-oauth-toolkit gave them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from portula.plugin import AnswersSlot

DEFAULT_GENERATOR = "oauth2_provider.utils.user_code_generator"
DEFAULT_MODEL = "oauth2_provider.DeviceGrant"
URL = r"^https?://[!-~]+$"


def _generator(value: Any) -> object:
    if not callable(value):
        raise TypeError("a function without parameters is needed")
    return value


class DeviceSettings(BaseModel):
    """Where people go with the code of a device, how long it lives, and how often somebody may guess."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    OAUTH_DEVICE_VERIFICATION_URI: str | None = Field(
        default=None, pattern=URL, max_length=2048, examples=["https://id.example.com/tv"]
    )
    """URL that devices show to their person (RFC 8628 §3.2), e.g. a short one that leads to our page. None: our page,
    `device/`."""

    OAUTH_DEVICE_VERIFICATION_URI_COMPLETE: str | Callable[..., Any] | None = None
    """The same URL with the code in it, which devices show as a picture (RFC 8628 §3.3.1): a text, or a callable of the
    code. None: our page with the code filled in; left out where OAUTH_DEVICE_VERIFICATION_URI names another page."""

    OAUTH_DEVICE_USER_CODE_GENERATOR: Annotated[
        Any, AnswersSlot("device_user_code_generator", _generator, (DEFAULT_GENERATOR,))
    ] = DEFAULT_GENERATOR
    """Import string or function that returns a new code for people to type: letters and digits, whose case does not
    count, apart by hyphens if need be. The default makes 8 letters without vowels (RFC 8628 §6.1)."""

    OAUTH_PRE_TOKEN_VALIDATION: Any = None
    """It has no effect. django-oauth-toolkit needs it to find the person of a device; here the authorization has them.
    """

    DEVICE_FLOW_INTERVAL: int = Field(default=5, ge=1, le=60)
    """Seconds between two polls of a device. One that comes earlier is told to slow down (django-oauth-toolkit tells it
    nothing), and has 5 seconds more to wait from then on (RFC 8628 §3.5)."""

    DEVICE_GRANT_MODEL: str = DEFAULT_MODEL
    """It has no effect: codes of devices are small passing records, as those of other plugins are. In
    django-oauth-toolkit it names a Django model."""

    DEVICE_CODE_EXPIRE_SECONDS: int = Field(default=600, ge=60, le=1800)
    """Seconds for which a person may type the code of a device and allow it (RFC 8628 §3.2, `expires_in`)."""

    DEVICE_USER_CODE_ATTEMPTS: int = Field(default=5, ge=1, le=100)
    """Wrong codes that one person may type within DEVICE_CODE_EXPIRE_SECONDS, in all their browsers together; from one
    address (of IPv6, one /64) ten times as many may come (RFC 8628 §5.1)."""

    DEVICE_MAX_CODES_PER_CLIENT: int = Field(default=1000, ge=1, le=100_000)
    """Codes of one client that may wait for their person at one time."""

    @field_validator("OAUTH_DEVICE_VERIFICATION_URI_COMPLETE", mode="before")
    @classmethod
    def _text_or_callable(cls, value: Any) -> Any:
        if value is not None and not callable(value) and not (isinstance(value, str) and value):
            raise ValueError("it is a URL, or a callable of the code")
        return value
