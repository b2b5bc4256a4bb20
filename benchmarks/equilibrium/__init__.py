"""Measurements of the model `equilibrium`; each module has a command line, small by default, whole with --all."""
