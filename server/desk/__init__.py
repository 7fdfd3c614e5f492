"""The desk behind the doors: counts what was logged, tells the feed, keeps an eye on what does not go together.

Owns `scan_news`, `checkin_desk`, `checkin_tally` and `checkin_conflict`, all of which follow from the log `scan`. `Projector`
takes what was logged since, and in one transaction counts it, finds conflicts and tells channel `checkin` and the state
`occupancy`: each scan once, at most ten times a second, whichever process does it and whichever dies.
"""
