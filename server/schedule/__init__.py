"""The programme: rooms, tracks, speakers and sessions, as one document per version and language.

Owns `schedule`, `room`, `track`, `speaker`, `session` and `session_speaker`. Every change takes the event's `schedule` row,
adds 1 to its version and emits on channel `schedule` the whole thing as it is now with each changed field's old and new value: a
phone that holds version N and applies the events has, to the letter, what a fresh reader gets, and asks for nothing. A session's
change also carries the sentence that a phone shows (`sentences`), and goes to those whom it concerns on their own channel.
"""
