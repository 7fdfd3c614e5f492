"""The door: a scan comes in, an answer goes out, and both are in the log before anybody hears it.

Owns `checkin_list`, `checkin_list_ticket` and `scan`. What it promises:

* The same scan id from the same device gets the same answer for ever; with another body it is refused. (Primary key of
  `scan`; the answer is read from that row.)
* A badge is admitted once per list and stay, whichever process or server asks. (Unique index `scan_one_admission`.)
* An answer is given after the commit that makes it last.

The way of a scan: `lane`, asked by the HTTP protocol itself (or `routes`, the same path through the framework) → `actions` →
`Door`, the event's badges, lists and devices in memory → `Writer`, which writes all scans that arrive during one commit with
the next.
"""
