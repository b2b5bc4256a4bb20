"""Shared parts of the Sudoku benchmarks: puzzles and their checker, resumable records, counted solves."""
