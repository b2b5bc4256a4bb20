"""Verify: compare the file with PyTorch."""
