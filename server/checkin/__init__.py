"""The door: a scan comes in, an answer goes out, and both are in the log before anybody hears it.

Owns `scan` and `checkin_count`. What it promises:

* The same scan id from the same device gets the same answer for ever; with another body it is refused. (Primary key of
  `scan`; the answer is read from that row.)
* A badge is admitted once per list, whichever process or server asks, until the person has left. (Unique index `scan_turn`.)
* An answer is given after the commit that makes it last.
* A capacity is never exceeded by an answer of ours. (`checkin_count` and its check `within_capacity`.)
* Where everybody is follows from the set of scans, not from the order in which they came in. (`history`.)

The way of a scan: `lane`, asked by the HTTP protocol itself (or `routes`, the framework's way for whatever is unusual) →
`actions.check_in_soon` → `Door`, the event's badges, lists and devices in memory → `Writer`, which writes all scans that arrive
during one commit with the next. `planning` says what to write where a look at the log is needed, `policy` and `history` decide.
Scans that were made offline come by `batch` and take the same way as what they are: facts.
"""
