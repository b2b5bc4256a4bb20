"""Timetables of others as requests: natural-language planning and job shops, with checkers that use only the constraints."""
