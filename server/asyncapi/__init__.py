"""The AsyncAPI document of the live feed: what is said over the websocket and the stream, for people and for programs.

Nothing in it is written down twice. The frames' schemas come from the Structs that encode them, the events' from the `EVENTS` of
each noun, who may read a channel from `feed.topics`, and the close codes from `live.protocol`.
"""

from server.asyncapi.document import MEDIA_TYPE, feed_document

__all__ = ["MEDIA_TYPE", "feed_document"]
