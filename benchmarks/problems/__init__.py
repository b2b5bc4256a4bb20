"""What the benchmarks of typed constraints share: an exact solver beside the energy, and the graphs that others colour."""
