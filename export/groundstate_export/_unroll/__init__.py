"""Unroll: build the graph of a segment from the graphs of its steps."""
