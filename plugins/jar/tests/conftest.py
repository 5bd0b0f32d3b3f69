"""Fixtures of OpenID Connect: what a request object asks for is seen there."""

from support.openid import browser, make_world, pem, world

__all__ = ["browser", "make_world", "pem", "world"]
