"""Sets that a rule keeps a tensor in, one a file."""
