"""The fields of a list of sessions, by the many names they have in the JSON of apps and websites.

Names are compared without capitals, spaces, `_` and `-`: `starts_at`, `startsAt` and `Starts At` are one. A name may end in
a language: `title_ar` and `titleAr` are the Arabic title.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache

from server.interchange.reading.json_values import Map, is_empty

_LANGUAGES = "ar|ary|ber|de|en|es|fr|it|ja|nl|pt|ru|tr|zgh|zh"
_SUFFIX = re.compile(rf"(?P<name>.{{2,}}?)(?:[_\-. ](?P<small>{_LANGUAGES})|(?P<title>{_LANGUAGES.title()}))")

_CHOICES: dict[str, dict[str, str]] = {
    "session": {
        "id": "id guid uuid code key sessionid eventid talkid slotid _id slug",
        "title": "title name sessiontitle sessionname headline subject talktitle",
        "subtitle": "subtitle tagline",
        "abstract": "abstract summary teaser excerpt shortdescription intro",
        "description": "description longdescription fulldescription desc body content text textlines lines details",
        "starts": "start starts startsat startat starttime startdatetime begin begins beginsat from "
        "timestart time startutc starttimestamp",
        "ends": "end ends endsat endat endtime enddatetime enddate finish until to dateend timeend endutc endtimestamp",
        "date": "date day jour startdate datestart",
        "duration": "duration durationminutes durationmin durationinminutes length lengthminutes minutes",
        "room": "room roomname roomid location locationid venue hall stage place salle",
        "track": "track trackname trackid stream theme block section",
        "kind": "type kind format sessiontype sessionformat sessionkind",
        "speakers": "speakers speakerids speaker speakernames presenters presenter persons people participants",
        "moderators": "moderators moderator chair chairs",
        "panelists": "panelists panellists panelist",
        "hosts": "hosts host",
        "language": "language languages lang spokenlanguage",
        "url": "url link permalink website webpage",
        "logo": "logo image imageurl logourl thumbnail thumbnailurl cover coverurl",
        "recording": "recording recordingurl video videourl youtube youtubeurl",
        "stream": "stream streamurl live liveurl livestream livestreamurl",
        "file": "slides slidesurl presentation presentationurl",
        "feedback": "feedback feedbackurl",
        "license": "license licence",
        "status": "status state",
        "cancelled": "cancelled canceled iscancelled iscanceled",
        "service": "service isservice isservicesession isbreak break",
        "unrecorded": "donotrecord norecording",
    },
    "speaker": {
        "id": "id guid uuid code key speakerid personid _id slug",
        "name": "name fullname displayname publicname speakername",
        "first": "firstname givenname prenom",
        "last": "lastname familyname surname nom",
        "organisation": "organisation organization company affiliation employer",
        "tagline": "tagline position jobtitle job title headline role occupation",
        "bio": "bio biography description about",
        "photo": "photo photourl avatar avatarurl picture pictureurl profilepicture image imageurl headshot portrait",
        "links": "links socials social sociallinks",
        "private": "email mail phone phonenumber mobile mobilephone",
        "sessions": "sessions sessionids talks talkids",
    },
    "room": {
        "id": "id guid uuid code key roomid _id slug",
        "name": "name title roomname label",
        "description": "description",
        "capacity": "capacity seats",
        "floor": "floor level",
    },
    "track": {
        "id": "id guid uuid code key trackid _id slug",
        "name": "name title trackname label",
        "description": "description",
        "color": "color colour hex",
    },
    "file": {
        "title": "title name eventname conferencename conference event",
        "timezone": "timezone timezonename tz zone timezoneid",
        "version": "version revision",
        "sessions": "sessions events talks slots agenda schedule program programme items entries sessionlist days",
        "speakers": "speakers presenters people persons",
        "rooms": "rooms locations venues stages halls",
        "tracks": "tracks streams themes",
    },
}

Thing = str
"""One of `session`, `speaker`, `room`, `track`, `file`."""


@lru_cache
def _meanings(thing: Thing) -> dict[str, tuple[str, int]]:
    """By the name as compared: the field, and how far to the front that name stands in its list."""
    return {name: (field, rank) for field, names in _CHOICES[thing].items() for rank, name in enumerate(names.split())}


def plain_name(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", name).casefold() if name[:1] != "_" else name.casefold()


def sorted_fields(entry: Map, thing: Thing) -> tuple[Map, Map]:
    """The fields by their meaning, and what has none under its own name. Of several names for one field the usual one counts;
    the others stay under their own.
    """
    meanings = _meanings(thing)
    found: dict[str, tuple[int, str]] = {}
    languages: defaultdict[str, dict[str, object]] = defaultdict(dict)
    rest: Map = {}
    for name, value in entry.items():
        meaning = meanings.get(plain_name(name))
        if is_empty(value) and not (value is False and meaning is not None):
            continue
        if meaning is None and (suffix := _SUFFIX.fullmatch(name)) and isinstance(value, str):
            meaning = meanings.get(plain_name(suffix["name"]))
            if meaning is not None:
                languages[meaning[0]].setdefault((suffix["small"] or suffix["title"]).lower(), value)
                continue
        if meaning is None:
            rest[name] = value
            continue
        field, rank = meaning
        before = found.get(field)
        if before is not None and before[0] <= rank:
            rest[name] = value
            continue
        if before is not None:
            rest[before[1]] = entry[before[1]]
        found[field] = (rank, name)
    fields: Map = {field: entry[name] for field, (_, name) in found.items()}
    for field, texts in languages.items():
        own = fields.get(field)
        fields[field] = {**(own if isinstance(own, dict) else {"und": own} if own else {}), **texts}
    return fields, rest


def has_field(entry: Map, thing: Thing, *wanted: str) -> bool:
    """Whether any name of one of the fields is there, with or without a value."""
    meanings = _meanings(thing)
    return any(meanings.get(plain_name(name), ("", 0))[0] in wanted for name in entry)
