"""What typed constraints are measured with: families of problems, definitions of their solutions, an exact solver."""
