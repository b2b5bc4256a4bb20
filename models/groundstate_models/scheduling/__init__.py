"""Timetables and weeks of meetings: requests as people write them, compiled to typed constraints, answers checked exactly."""
