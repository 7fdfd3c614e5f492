"""Addresses of the web as people type them into a cell."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_BARE = re.compile(r"(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?:/\S*)?", re.IGNORECASE)


def web_address(written: str) -> str | None:
    """An `http:` or `https:` address as it is; one that begins with `www.` gets `https://`. None for anything else."""
    if _BARE.fullmatch(written) and written.casefold().startswith("www."):
        written = f"https://{written}"
    try:
        parts = urlsplit(written)
    except ValueError:
        return None
    whole = parts.scheme in {"http", "https"} and parts.netloc and not re.search(r"\s", written)
    return written if whole else None
