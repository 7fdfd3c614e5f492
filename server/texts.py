"""Texts in several languages: which one a reader gets, and what may be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

Texts = dict[str, str]
"""Language tag → text."""

ALL = "*"
"""The reader wants every language: maps instead of strings."""

LanguageTag = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)", max_length=35)]
# A NUL character is valid JSON but no database text can hold it.
Line = Annotated[str, Meta(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$", max_length=300)]
Paragraphs = Annotated[str, Meta(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$", max_length=20_000)]

LineTexts = Annotated[dict[LanguageTag, Line], Meta(min_length=1, max_length=20)]
ParagraphTexts = Annotated[dict[LanguageTag, Paragraphs], Meta(max_length=20)]


def pick(texts: Texts, language: str, default: str) -> str | Texts:
    """The text in `language`, else in the event's default one, else in English, else in any; the whole map for `ALL`."""
    if language == ALL:
        return texts
    for tag in (language, default, "en"):
        if tag in texts:
            return texts[tag]
    return next(iter(texts.values()), "")


def choose_language(wanted: str | None, accept_language: str | None, offered: Sequence[str], default: str) -> str:
    """What `?lang=` asks for if it is offered, else the best of `Accept-Language` (RFC 9110 §12.5.4), else the default."""
    if wanted == ALL:
        return ALL
    if wanted:
        return _match(wanted, offered) or default
    for tag in _by_preference(accept_language or ""):
        if tag == "*":
            return default
        found = _match(tag, offered)
        if found:
            return found
    return default


def _match(tag: str, offered: Sequence[str]) -> str | None:
    primary = tag.lower().partition("-")[0]
    return next((language for language in offered if language.lower().partition("-")[0] == primary), None)


def _by_preference(header: str) -> list[str]:
    weighted = []
    for position, part in enumerate(header[:500].split(",")):
        tag, _, parameters = part.strip().partition(";")
        weight = 1.0
        if parameters.strip().startswith("q="):
            try:
                weight = float(parameters.strip()[2:])
            except ValueError:
                weight = 0.0
        if tag and weight > 0:
            weighted.append((-weight, position, tag))
    return [tag for _, _, tag in sorted(weighted)]
