"""What plugin authors and applications test with."""

__version__ = "0.1.0"
