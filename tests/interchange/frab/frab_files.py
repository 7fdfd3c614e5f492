"""What the writers of frab's formats make of a publication, taken apart again by parsers that are not ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from server.interchange.frab import json_v1_writer, json_v2_writer, xml_writer

if TYPE_CHECKING:
    from server.interchange.programme import Publication


def xml_of(publication: Publication, language: str = "fr") -> ET.Element:
    return ET.fromstring(xml_writer.write(publication, language=language))  # noqa: S314 -- our own


def v1_of(publication: Publication, language: str = "fr") -> Any:
    return json.loads(json_v1_writer.write(publication, language=language))["schedule"]


def v2_of(publication: Publication) -> Any:
    return json.loads(json_v2_writer.write(publication))["schedule"]


def events_of(schedule: Any) -> list[Any]:
    days = schedule["conference"]["days"]
    return [event for day in days for events in day["rooms"].values() for event in events]
