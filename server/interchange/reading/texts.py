"""Texts of a file as `Texts`, with a note of what was wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.interchange.reading.arabic_letters import plain_letters
from server.interchange.reading.values import NOT_TEXT, language, text

if TYPE_CHECKING:
    from server.interchange.programme import Texts
    from server.interchange.reading.repairs import RepairLog

UNDETERMINED = "und"
"""BCP 47: a language nobody named."""


def shown(value: str) -> str:
    """A value from the file, short enough to stand in a sentence."""
    return f"`{value[:60]}…`" if len(value) > 60 else f"`{value}`"


def first_text(value: object) -> str:
    """A text, or the first one of a map of languages; empty where there is none."""
    return next((text(entry) for entry in value.values()), "") if isinstance(value, dict) else text(value)


def plain(value: object, *, where: str, field: str, log: RepairLog) -> str:
    """A text without a language, empty where there is none; of a map of languages, the first text."""
    return next(iter(localized(value, UNDETERMINED, where=where, field=field, log=log).values()), "")


def localized(value: object, tag: str, *, where: str, field: str, log: RepairLog) -> Texts:
    """A text under `tag`, or a map of languages (version 2's LocalizableString) as it is. No empty texts."""
    if isinstance(value, dict):
        return _map_of_languages(value, where=where, field=field, log=log)
    if value is not None and not isinstance(value, str | int | float):
        log.note(where, f"`{field}` is neither a text nor a map of languages; left out")
        return {}
    if isinstance(value, str) and NOT_TEXT.search(value):
        log.note(where, f"`{field}` holds a character that no text may hold; replaced by \N{REPLACEMENT CHARACTER}")
    written = text(value)
    plain_written = plain_letters(written)
    if plain_written != written:
        log.note(where, f"`{field}` is in Arabic presentation forms, which no search finds; put into plain letters")
    return {tag: plain_written} if plain_written else {}


def _map_of_languages(value: dict[str, object], *, where: str, field: str, log: RepairLog) -> Texts:
    texts: Texts = {}
    for name, entry in value.items():
        if isinstance(entry, dict):
            log.note(where, f"`{field}` has a map within a map; left out")
            continue
        tag = language(name)
        if tag is None:
            log.note(where, f"{shown(text(name))}, a language of `{field}`, is no language tag; left open")
        for key, written in localized(entry, tag or UNDETERMINED, where=where, field=field, log=log).items():
            if texts.setdefault(key, written) != written:
                log.note(where, f"`{field}` has two texts in one language; the first was kept")
    return texts
