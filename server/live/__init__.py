"""The live feed's gateway: a process of its own that holds the phones' websockets.

What holds here, and who sees to it:

* A connection is a cursor over a ring of the channel's last events (`hub`). Its position only moves forward, one event at a
  time; the ring hands over contiguous events or refuses, never some of them.
* The ring is fed from the table in the order of `seq`, and a gap in what was read is an error, not something to skip (`relay`).
  Notifications only say when to read.
* Between finding a resuming client's place and adding it to the channel there is no `await`: no event can slip in between.
* An event is encoded and framed once, and the same bytes go to every connection (`wire`). Nobody waits for a slow one: its
  cursor stays behind, and after 15 seconds or a ring's length it is closed with 4001 and may resume (`gateway`).
* A state channel is a board of the latest values (`board`). Its viewers are shown in turn what has changed, each once in a bit
  more than a second, so a change every 100 ms costs a write a second and connection, spread evenly; a slow client gets the
  latest value when it reads again, and nothing in between is kept for it.
* Tickets are checked without a query (`ticket`); what one may read is decided in one place (`feed.topics`).

Domains never import this package; it imports only the feed's log and their types.
"""
