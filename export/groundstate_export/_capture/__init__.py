"""Capture: record the energy, its gradient and the rule as lists of PyTorch operators, for any batch size."""
