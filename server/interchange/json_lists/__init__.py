"""Programmes in JSON that have no standard: what tools answer, and lists that people made.

`pretalx` (with `pretalx_lists`, `pretalx_answers`), `sessionize` and `session_list` (with `session_fields`) each say whether a
file is theirs and make a `draft` of it; `mend` makes a `Programme` of any draft, with `parts` (rooms, tracks, kinds, speakers),
`times` and `keys`.
"""
