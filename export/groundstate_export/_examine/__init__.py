"""Examine: refuse arguments and energies that cannot be exported, before anything is captured."""
