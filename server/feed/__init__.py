"""The live feed's log: what happened, per event and channel, numbered without a gap in the order of the commits.

Owns `feed_channel`, `feed_event` and `feed_state`. An event is born only in an action, through `emit`, in the transaction that
makes it true; it is visible to readers from the commit on, never before. `Watch` tells a process that a channel has grown: a
notification is a hint that may get lost, a look every second is the safety net, and the table is the truth.

Some channels are no logs but states: `set_states` overwrites the values of keys, and readers get the latest ones.
"""

from server.feed.actions import emit, emit_to_each, open_channels, set_states
from server.feed.types import CHECKIN, OCCUPANCY, PUBLIC_CHANNELS, STATE_CHANNELS, FeedEvent, Position
from server.feed.watch import Watch

__all__ = [
    "CHECKIN",
    "OCCUPANCY",
    "PUBLIC_CHANNELS",
    "STATE_CHANNELS",
    "FeedEvent",
    "Position",
    "Watch",
    "emit",
    "emit_to_each",
    "open_channels",
    "set_states",
]
