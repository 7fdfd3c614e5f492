"""What schedule.json versions 1 and 2 have in common when they are written; see `json_v1_writer` and `json_v2_writer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from server.interchange.frab import json_reader
from server.interchange.frab.additions import additions_of
from server.interchange.frab.columns import slug_of
from server.interchange.frab.kept import TRACK, fitting
from server.interchange.frab.wording import address_of_file, beyond_link, version_of
from server.interchange.reading.json_values import decoded
from server.interchange.reading.repairs import RepairLog
from server.interchange.reading.values import zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.interchange.programme import Link, Programme, Publication, Texts, Track

Object = dict[str, Any]


def file_of(schema: str, publication: Publication, language: str | None, schedule: Object) -> Object:
    return {
        "$schema": schema,
        "generator": {"name": "Digital Now"},
        "schedule": {
            "url": address_of_file(publication, language),
            "version": version_of(publication),
            "base_url": f"{publication.base_url}/",
            **schedule,
        },
    }


def encoded(file: Object, meant: Programme) -> bytes:
    """The file, with what its public fields do not say of `meant` in its additions."""
    public = msgspec.json.encode(file)
    if meant.sessions:
        additions = additions_of(meant, json_reader.read(decoded(public.decode(), log := RepairLog()), log))
        if additions:
            file = {**file, "schedule": {**file["schedule"], "additions": additions}}
            public = msgspec.json.encode(file)
    return public


def time_zone(programme: Programme) -> Object:
    """None where the schemas do not take the name, `Etc/GMT-1`; the dates have their offsets anyway."""
    area, _, place = programme.timezone.partition("/")
    fits = programme.timezone == "UTC" or (
        area.isalpha() and area.istitle() and place[:1].isupper() and place[1:2].islower()
    )
    return {"time_zone_name": programme.timezone} if fits and zone(programme.timezone) else {}


def track(each: Track, text: Callable[[Texts], Any]) -> Object:
    return {
        "name": text(each.name),
        "slug": slug_of(each.key),
        **({} if each.color is None else {"color": each.color}),
        **({"description": text(each.description)} if each.description else {}),
        **fitting(each.extra, TRACK),
    }


def link(each: Link, text: Callable[[Texts], str], more: Object) -> Object:
    return {"url": each.url, **({"title": text(each.title)} if each.title else {}), **more}


def beyond(each: Link, kept: object, types: frozenset[str], services: frozenset[str] = frozenset()) -> Object:
    """The `type` and `service` that the source gave this link, where the format knows them."""
    entry = beyond_link(each, kept)
    known = (("type", types), ("service", services))
    return {name: entry[name] for name, words in known if isinstance(entry.get(name), str) and entry[name] in words}
