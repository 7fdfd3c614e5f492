"""Check-in lists: what one is let into, whom they admit, when, and how many. Owns `checkin_list` and `checkin_list_ticket`.

Every change says `lists.changed` on channel `checkin`: each process and each scanner then decides by the new rules.
"""
