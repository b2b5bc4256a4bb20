"""Optimise: passes, each of which rewrites a graph so that it does less and gives the same."""
