"""One frame of each sort, as it goes over the wire."""

from __future__ import annotations

from typing import Any

_AT = "2026-12-18T09:30:00.000000Z"
_EPOCH = "a3f19c04d2e7"

EXAMPLES: dict[str, dict[str, Any]] = {
    "hello": {
        "type": "hello",
        "version": 1,
        "ticket": None,
        "channels": [{"name": "announcements", "epoch": _EPOCH, "seq": 412}, {"name": "schedule"}],
    },
    "subscribe": {"type": "subscribe", "channels": [{"name": "occupancy"}]},
    "unsubscribe": {"type": "unsubscribe", "channels": [{"name": "occupancy"}]},
    "ack": {"type": "ack", "seq": {"announcements": 413}},
    "ready": {
        "type": "ready",
        "heartbeat_seconds": 25,
        "channels": [
            {
                "name": "announcements",
                "epoch": _EPOCH,
                "seq": 417,
                "resumed": True,
                "reason": None,
                "catch_up": None,
            },
            {
                "name": "schedule",
                "epoch": _EPOCH,
                "seq": 1290,
                "resumed": False,
                "reason": "too_old",
                "catch_up": f"/v1/events/digital-now/feed/schedule?epoch={_EPOCH}&after=12",
            },
        ],
    },
    "announcement.published": {
        "type": "event",
        "channel": "announcements",
        "seq": 413,
        "id": "0193d9a1-5c00-7000-8000-3b6f6f0c1d2e",
        "at": _AT,
        "kind": "announcement.published",
        "data": {
            "id": "0193d9a1-5bff-7000-8000-b1c2d3e4f506",
            "audience": None,
            "title": {"fr": "Le déjeuner est servi", "ar": "الغداء جاهز"},
            "body": {},
            "urgent": False,
            "status": "published",
            "publish_at": _AT,
            "published_at": _AT,
            "edited_at": None,
            "expires_at": None,
            "ended_at": None,
        },
    },
    "state": {
        "type": "state",
        "channel": "occupancy",
        "key": "list:main",
        "version": 88,
        "data": {"inside": 1204, "capacity": None, "free": None, "session_id": None},
    },
    "heartbeat": {"type": "heartbeat", "at": _AT, "seq": {"announcements": 417, "schedule": 1290}},
    "bye": {"type": "bye", "code": 4003, "retry_after_ms": [0, 8000]},
}
