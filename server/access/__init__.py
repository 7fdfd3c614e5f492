"""Giving out and taking back: tokens of organizers, devices and booth staff, and badges.

Owns no table: it writes those of `event`, `device`, `exhibitor` and `attendee`, and tells every process of a revocation on
channel `checkin`.
"""
