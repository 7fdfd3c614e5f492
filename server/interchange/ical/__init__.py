"""iCalendar (RFC 5545, RFC 7986).

Read: `reader` goes through the components of a `tree`; `event` makes a session of one, `named` knows its rooms, tracks, kinds
and speakers, `times` and `repeats` say when it is, `zones` (with `windows_zones`) which clock a name means.

Written: `writer`, with `vtimezone`. Both ways: `lines` is the grammar, `marks` what our own files say to our own reader.
"""
