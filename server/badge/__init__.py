"""Badges: the keys that sign them, a new one for a lost one, what is printed on each.

Owns `badge_key`; writes the `badge` table of `attendee`, and tells every process and scanner of a change on channel `checkin`.
"""
