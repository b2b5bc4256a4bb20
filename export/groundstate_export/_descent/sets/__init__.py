"""Sets to which a rule confines a tensor, one per file."""
