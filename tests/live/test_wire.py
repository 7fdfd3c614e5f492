"""Our frames are the frames the library would have sent."""

from __future__ import annotations

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from server.live.wire import text_frame

LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_is_what_the_library_would_send(length: int) -> None:
    payload = (b"\xd9\x85" * length)[:length] if length % 2 == 0 else b"x" * length
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_client_reads_the_frame_back(length: int) -> None:
    payload = b"x" * length
    client = ClientProtocol(parse_uri("ws://example.org/"), state=State.OPEN, max_size=None)
    client.receive_data(text_frame(payload) + text_frame(b"next"))
    frames = [event for event in client.events_received() if isinstance(event, Frame)]
    assert [(frame.opcode, frame.fin, bytes(frame.data)) for frame in frames] == [
        (Opcode.TEXT, True, payload),
        (Opcode.TEXT, True, b"next"),
    ]
