"""Timetables of others as requests: natural-language planning and job shops, with judges that know only the constraints."""
