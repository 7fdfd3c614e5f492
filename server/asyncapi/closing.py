"""The close codes, and what a client does after each."""

from __future__ import annotations

from typing import Any

from server.live.protocol import REASONS, RETRY_MILLISECONDS, Close

ADVICE = {
    Close.SLOW: "You did not take your events for 15 seconds, or fell behind further than the server remembers.",
    Close.NO_ACK: "You used to acknowledge and have stopped. Acknowledge at every heartbeat, or never.",
    Close.DRAINING: "The server is about to stop, or a channel was replaced by another one.",
    Close.TICKET_EXPIRED: "Ask for a new ticket. One opens one connection, within 60 s, and that is believed for some hours, or "
    "until what its holder may read becomes something else.",
    Close.REPLACED: "The same token has opened further connections, of which a device has one and anybody else three. Come back "
    "when this one is the one in use: who comes back at once takes the place of another.",
    Close.RATE_LIMITED: "You have sent too many frames or opened too many connections. Wait as long as `bye` says.",
    Close.REVOKED: "The token is no longer valid: it was revoked, replaced, or the registration was taken back.",
    Close.BAD_PROTOCOL: "You have sent what is no frame of this protocol, or no hello in time.",
    Close.VERSION: "The server does not speak the `version` of your hello. The app needs an update.",
    Close.FORBIDDEN: "The ticket is none of this server's, or of another event.",
}

FAMILIES = {
    40: ("resume", "Reconnect after a random wait, and resume."),
    41: ("act", "Do what the code asks for, then reconnect and resume."),
    45: ("stop", "Stop: coming back in the same way would end the same way."),
}
"""The code's hundreds → what a client does, in a word and in a sentence."""


def close_codes() -> list[dict[str, Any]]:
    """Every code with its meaning, by number."""
    return [
        {
            "code": code,
            "reason": REASONS[code],
            "then": FAMILIES[code // 100][0],
            "retry_after_ms": RETRY_MILLISECONDS.get(code),
            "description": ADVICE[code],
        }
        for code in sorted(REASONS)
    ]


def described() -> str:
    """The same as Markdown."""
    families = "".join(f"* **{family}xx** – {sentence}\n" for family, (_, sentence) in FAMILIES.items())
    rows = "".join(
        f"| {one['code']} | {one['reason']} | {one['then']} | {one['description']} |\n" for one in close_codes()
    )
    return (
        f"{families}\nAny other end (1006, 1011, a cut) is as 40xx; 1009 means that a frame was too long.\n\n"
        f"| code | reason | then | meaning |\n|---|---|---|---|\n{rows}"
    )
