"""Rules on client metadata that tests put into force."""

from portula import hookimpl
from portula.errors import InvalidClientMetadata


class Closed:
    """A rule that no client keeps, once it is in force."""

    in_force = False

    @hookimpl
    def portula_validate_client_registration(self, registration):
        """Refuse every client."""
        if self.in_force:
            raise InvalidClientMetadata("no client is allowed")
