"""Geometry: say the constraints, get the drawing."""
