"""The programme: rooms, tracks, speakers and sessions, as one document per version and language.

Owns `schedule`, `room`, `track`, `speaker`, `session` and `session_speaker`. Every change takes the event's `schedule` row,
adds 1 to its version and emits `session.changed` on channel `schedule` with the whole session as it is now and each changed
field's old and new value: a phone that holds version N and applies the events has what a fresh reader gets.
"""
