"""What plugin authors and applications test with."""
