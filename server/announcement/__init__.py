"""What the organizers tell everybody or an audience: at once or at a time, until it is withdrawn or expires.

Owns `announcement`; emits `announcement.published`, `.edited`, `.withdrawn` and `.expired` on channel `announcements` and on
those of the audiences, `announcements:staff` say. `clock` does what comes by itself when its time has come.
"""
