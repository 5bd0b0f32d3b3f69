"""Takes the entry-point name of a room that comes with portula, and would make its secrets."""

from portula import hookimpl
from portula.plugin import HashGenerator


class Generator(HashGenerator):
    """Makes what it knows already."""

    def hash(self):
        return "known to the impostor"


@hookimpl
def portula_client_secret_generator(provider):
    return Generator()
