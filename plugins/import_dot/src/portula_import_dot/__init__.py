"""Moving over: `portula import-dot SETTINGS.py` reads a django-oauth-toolkit configuration and says what it becomes.

Source: the settings page of django-oauth-toolkit, 2.3 to 3.x; what exists here is asked of the provider.
It never runs the file unless told to, never shows a secret, and never passes over a setting in silence.
"""

from portula_import_dot.commands import portula_commands

__all__ = ["portula_commands"]
__version__ = "0.1.0"
