"""Join: build one graph for any size from the graphs of two examples."""
