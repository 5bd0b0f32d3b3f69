"""What browsers send to our pages, read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import request
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portula.engine.messages import FORM, parse_pairs
from portula.pages import PageForm
from portula_accounts.passwords import MAX_PASSWORD_BYTES
from portula_accounts.users import MAX_USERNAME_CHARACTERS

if TYPE_CHECKING:
    from portula import Provider

MAX_NEXT_CHARACTERS = 8192


class LoginForm(PageForm):
    """Name and password."""

    username = StringField(
        "User name", [InputRequired("Enter your user name."), Length(max=MAX_USERNAME_CHARACTERS)]
    )
    password = PasswordField(
        "Password", [InputRequired("Enter your password."), Length(max=MAX_PASSWORD_BYTES)]
    )
    next = HiddenField()


def query() -> MultiDict[str, str]:
    """Return the parameters of the query string.

    Raises:
        InvalidRequestError: not UTF-8, NUL, a repeated name, too many.
    """
    return MultiDict(parse_pairs(request.query_string))


def posted(provider: Provider) -> MultiDict[str, str]:
    """Return the fields of a posted form, at most MAX_BODY_BYTES of them.

    Raises:
        InvalidRequestError: too large, another content type, not UTF-8, NUL, a repeated name, too many.
    """
    if request.mimetype != FORM:
        raise InvalidRequestError(description=f"The form must be sent as {FORM}.")
    request.max_content_length = provider.core_settings.MAX_BODY_BYTES
    try:
        body = request.get_data(cache=True, parse_form_data=False)
    except RequestEntityTooLarge:
        raise InvalidRequestError(description="The form is too large.") from None
    if not body:  # a before_request function of the app has read the form already
        body = urlencode(list(request.form.items(multi=True))).encode()
    return MultiDict(parse_pairs(body))


def same_origin_path(value: str | None) -> str | None:
    """Return a path on this host as it is, and None for everything a browser could take elsewhere (attack S13)."""
    if not value or len(value) > MAX_NEXT_CHARACTERS or not value.startswith("/") or value.startswith("//"):
        return None
    plain = value.isascii() and value.isprintable() and not any(character in value for character in " \\")
    return value if plain else None
