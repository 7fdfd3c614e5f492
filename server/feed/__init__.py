"""The live feed's log: what happened, per event and channel, numbered without a gap in the order of the commits.

Owns `feed_channel` and `feed_event`. An event is born only in an action, through `emit`, in the transaction that makes it
true; it is visible to readers from the commit on, never before. `Watch` tells a process that a channel has grown: a
notification is a hint that may get lost, a look every second is the safety net, and the table is the truth.
"""

from server.feed.actions import emit, open_channels
from server.feed.types import CHECKIN, PUBLIC_CHANNELS, FeedEvent, Position
from server.feed.watch import Watch

__all__ = ["CHECKIN", "PUBLIC_CHANNELS", "FeedEvent", "Position", "Watch", "emit", "open_channels"]
