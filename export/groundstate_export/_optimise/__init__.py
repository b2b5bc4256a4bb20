"""Optimise: passes that rewrite a graph to compute the same at a lower cost."""
