"""Scanners and the gates they stand at. Owns `gate` and `device`."""
