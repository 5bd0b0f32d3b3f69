"""A second answer to the slot of the scopes backend."""

from portula import hookimpl
from portula.plugin import ScopesBackend


class Scopes(ScopesBackend):
    """One scope."""

    def get_all_scopes(self):
        return {"other": "Another"}

    def get_available_scopes(self, application=None, request=None):
        return ["other"]

    get_default_scopes = get_available_scopes


@hookimpl
def portula_scopes_backend(provider):
    return Scopes()
