"""Which of the fields that a programme keeps for its source a format has a place for, and whether their values fit it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from server.interchange.frab.links import web_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from server.interchange.programme import Extra

    _Check: TypeAlias = Callable[[Any], bool]


def _matches(pattern: str) -> _Check:
    whole = re.compile(pattern)
    return lambda value: isinstance(value, str) and whole.fullmatch(value) is not None


def _one_of(*names: str) -> _Check:
    return lambda value: isinstance(value, str) and value in names


def _is(*types: type) -> _Check:
    return lambda value: isinstance(value, types)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and web_address(value, "") == value


def _is_image(value: Any) -> bool:
    return isinstance(value, dict) and set(value) <= {"url", "type"} and _is_address(value.get("url"))


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def is_language_map(value: Any) -> bool:
    """A text, or texts by language as version 2 has them: two letters and no region."""
    return isinstance(value, str) or (
        isinstance(value, dict)
        and all(re.fullmatch(r"[a-z]{2}", tag) and isinstance(text, str) for tag, text in value.items())
    )


def _are_features(*recordings: str) -> _Check:
    return lambda value: isinstance(value, dict) and value.get("recording", recordings[0]) in recordings


def _is_assembly(value: Any) -> bool:
    fits = {"name": _is(str), "guid": _is(str), "slug": _JSON_SLUG}
    return isinstance(value, dict) and all(field in value and check(value[field]) for field, check in fits.items())


def _are_defaults(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("theme", "light") in ("light", "dark")
        and _LANGUAGE(value.get("language", "en"))
    )


def _is_color(value: Any) -> bool:
    return isinstance(value, dict) and _COLOR(value.get("primary")) and _COLOR(value.get("background", "#000000"))


_JSON_SLUG = _matches(r"[a-z0-9_-]+[a-z0-9]")
_JSON_CODE = _matches(r"[A-Z0-9]+")
_LANGUAGE = _matches(r"[a-z]{2}")
_COLOR = _matches(r"#[0-9a-fA-F]{6}")
ACRONYM = _matches(r"[a-z0-9_-][a-z0-9_]{3,}(-2[0-9]{3}-[a-z]+)?")
"""What both JSON Schemas take, and the XSD therefore too."""

V1_LINK_TYPES = frozenset({"slides", "paper", "web", "blog", "article", "media", "related", "activitypub"})
V2_LINK_TYPES = frozenset(
    {"SLIDES", "PAPER", "WEB", "BLOG", "ARTICLE", "BOOK", "MEDIA", "RELATED", "FEEDBACK", "ORIGIN", "ACTIVITYPUB"}
)
V2_SERVICES = frozenset(
    {"MASTODON", "BLUESKY", "INSTAGRAM", "THREADS", "TWITTER", "FORGEJO", "GITHUB", "GITLAB", "MEDIACCCDE", "PEERTUBE"}
)
V2_KINDS = frozenset(
    {"TALK", "WORKSHOP", "HANDS-ON", "MEETING", "DISCUSSION", "PERFORMANCE", "CONCERT", "GAME", "LIGHTNING_TALK"}
)
V2_ROLES = frozenset({"MODERATOR", "CONTRIBUTOR", "HOST", "GUEST"})

XML_CONFERENCE = {
    "logo": _is_address,
    "url": _is_address,
    "color": _is_color,
    "timeslot_duration": _matches(r"[0-9]{1,2}:[0-9]{2}"),
}
XML_EVENT = {
    "slug": _matches(r"[a-z0-9_]{4,}-[a-z0-9_-]{4,}"),
    "code": _matches(r"[0-9A-Z]{6}"),
    "origin_url": _is_address,
}

_CONFERENCE = {"url": _is_address, "colors": _is(dict), "keywords": _are_words, "meta": _is(dict)}
V1_CONFERENCE = {**_CONFERENCE, "timeslot_duration": _is(str), "description": _is(str), "logo": _is_address}
V2_CONFERENCE = {
    **_CONFERENCE,
    "timeslot_duration": _matches(r"PT[0-9]{1,4}[HM]"),
    "description": is_language_map,
    "logo": _is_image,
    "languages": lambda value: isinstance(value, list) and all(map(_LANGUAGE, value)),
    "defaults": _are_defaults,
}
V1_ROOM = {
    "slug": _JSON_SLUG,
    "type": _one_of(
        *("lecturehall", "stage", "workshop", "outside", "online", "project", "bbb", "hangar", "other"),
    ),
    "stream_id": _is(str),
    "url": _is_address,
    "features": _are_features(
        *("record_by_default", "not_recorded_by_default", "recording_forbidden", "recording_not_possible", "unknown"),
    ),
    "assembly": _is_assembly,
}
V2_ROOM = {
    "slug": _JSON_SLUG,
    "type": _one_of("LECTURE_HALL", "STAGE", "WORKSHOP", "OUTSIDE", "VIRTUAL", "PROJECT", "HANGAR", "OTHER"),
    "stream_id": _is(str),
    "url": _is_address,
    "features": _are_features(
        *("RECORD_BY_DEFAULT", "NOT_RECORDED_BY_DEFAULT", "RECORDING_FORBIDDEN", "RECORDING_NOT_POSSIBLE", "UNKNOWN"),
    ),
    "parent": _is(dict),
}
V1_EVENT = {"slug": _JSON_SLUG, "code": _JSON_CODE, "origin_url": _is_address, "do_not_stream": _is(bool, str)}
V2_EVENT = {"slug": _JSON_SLUG, "code": _JSON_CODE}
PERSON = {"code": _JSON_CODE, "id": lambda value: isinstance(value, int) and not isinstance(value, bool)}
TRACK = {"guid": _is(str), "colors": _is(dict), "type": _is(str)}


def fitting(extra: Extra, table: Mapping[str, _Check]) -> Extra:
    return {field: extra[field] for field, fits in table.items() if field in extra and fits(extra[field])}
