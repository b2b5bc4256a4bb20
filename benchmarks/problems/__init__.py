"""What the benchmarks of typed constraints measure with: families of problems, definitions of their solutions, an exact solver."""
