"""What the Sudoku benchmarks share: puzzles and their judge, records that outlive an interruption, and solving counted."""
