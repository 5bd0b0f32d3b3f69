"""Answers one hook while it is looked at, and another one later."""

import os

from portula import hookimpl


@hookimpl
def portula_token_issued(event):
    pass


if os.environ.get("CHAMELEON") == "awake":

    @hookimpl
    def portula_client_saved(event):
        pass
