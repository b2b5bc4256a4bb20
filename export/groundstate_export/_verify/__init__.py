"""Verify: the file against PyTorch."""
