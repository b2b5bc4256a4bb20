"""Numbers of the layout energy that its reading also needs, without PyTorch."""

RESIDUAL_TOLERANCE = 0.05
"""Residual, clock included, below which a chain has converged."""

PIN = 0.5
"""Strength of the pull on fixed pieces."""
