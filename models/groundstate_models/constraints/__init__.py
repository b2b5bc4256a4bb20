"""Finite problems given as typed constraints, and one learned energy for all of them."""
