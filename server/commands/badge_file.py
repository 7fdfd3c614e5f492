"""The file that `badges` writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from server.attendee.codes import in_groups
from server.badge.types import PrintedRow
from server.commands.progress import show_progress
from server.event.types import EventRow
from server.printing.badge import Printed
from server.printing.bidi import is_rtl
from server.printing.lettering import unknown_in
from server.printing.sheets import Size, print_badges
from server.refusal import Refused
from server.texts import Texts, pick

SHOW_PROGRESS_FROM = 1_000
"""Badges; about two seconds."""


def write(out: Path, event: EventRow, rows: list[PrintedRow], *, size: Size) -> int:
    """Writes the badges in this order, for the owner's eyes alone, and returns the number of pages. Raises `Refused`.

    It is written beside the target first: who reads that meanwhile reads the old one, and a full disk leaves it.
    """
    title = str(pick(event.name, event.default_language, event.default_language))
    partial = out.with_name(f".{out.name}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                pages = print_badges(
                    file,
                    _printed(event, title, rows),
                    size=size,
                    title=title,
                    progress=lambda done: show_progress("printing", done, len(rows), worth_from=SHOW_PROGRESS_FROM),
                )
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"Cannot write {out}: {error.strerror}.") from None
    return pages


def _printed(event: EventRow, title: str, rows: list[PrintedRow]) -> Iterator[Printed]:
    for row in rows:
        yield Printed(
            code=row.code,
            short_code=in_groups(row.short_code),
            name=row.name,
            name_ar=row.name_ar,
            company=row.company,
            ticket=_in_two_scripts(row.ticket_name, event.default_language) or row.ticket,
            ticket_position=row.ticket_position,
            event=title,
        )


def _in_two_scripts(texts: Texts, language: str) -> str:
    """The name in the event's language, and once more in the other script if there is one."""
    first = str(pick(texts, language, language))
    second = next((text for text in texts.values() if is_rtl(text) != is_rtl(first)), "")
    return f"{first} · {second}" if second else first


def unprintable(rows: list[PrintedRow]) -> dict[str, str]:
    """Short codes of badges on which a character could not be drawn, with those characters."""
    found = {row.short_code: unknown_in(f"{row.name} {row.name_ar} {row.company}") for row in rows}
    return {code: " ".join(sorted(characters)) for code, characters in found.items() if characters}
