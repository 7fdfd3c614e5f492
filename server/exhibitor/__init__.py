"""Exhibitors, their booths and the people who work there. Owns `exhibitor` and `exhibitor_staff`."""
