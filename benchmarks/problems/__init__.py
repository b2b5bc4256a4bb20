"""Benchmarks of typed constraints: families of problems, definitions of their solutions, an exact solver."""
