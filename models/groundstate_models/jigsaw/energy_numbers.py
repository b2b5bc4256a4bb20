"""Numbers of the layout energy that its reading needs too, apart from PyTorch."""

RESIDUAL_TOLERANCE = 0.05
"""Residual, clock included, below which a chain has converged."""

PIN = 0.5
"""How strongly fixed pieces are held."""
