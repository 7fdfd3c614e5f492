"""Conditional and compressed answers (RFC 9110 §12.5.3, §13.1.2)."""

from __future__ import annotations


def is_unchanged(if_none_match: str | None, *etags: str) -> bool:
    """Whether the reader already holds one of these representations. Compared weakly, as the RFC wants for a GET."""
    if not if_none_match:
        return False
    if if_none_match.strip() == "*":
        return True
    held = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return not held.isdisjoint(etags)


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether `Accept-Encoding` allows gzip; a weight of 0 forbids it."""
    for part in (accept_encoding or "").lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
