"""Scanners and the gates they stand at, how a phone becomes one, and what each may do. Owns `gate` and `device`.

Emits `device.created`, `device.changed`, `device.paired`, `device.revoked` and `gate.*` on channel `checkin`, by which every
process's door learns of them. Routes ask for rights by `guard.require_right`, everybody else by `policy.check_right`.
"""
