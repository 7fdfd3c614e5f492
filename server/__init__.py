"""The backend of a conference's companion app: programme, check-in, exhibitors' leads, live feed."""

__version__ = "0.1.0"
