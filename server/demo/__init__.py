"""The sample event: Digital Now in Casablanca, from a seed."""
