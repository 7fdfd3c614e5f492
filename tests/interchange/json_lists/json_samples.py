"""Programmes in JSON as pretalx, Sessionize, an app and an agency write them: the shapes are theirs, the content invented."""

from __future__ import annotations

import copy
from typing import Any

NABIL = {
    "code": "NABIL1",
    "name": "Nabil Cherkaoui",
    "biography": "Il paie **en ligne**.",
    "avatar_url": "https://cfp.example.org/media/nabil.png",
    "answers": [],
    "submissions": ["PAYER1"],
}
HALL = {
    "id": 3,
    "name": {"fr": "Salle Atlas", "ar": "قاعة الأطلس"},
    "description": {},
    "uuid": "0f6b1a52-9c4e-4c6d-8a51-2f0f6a3c9d17",
    "capacity": 120,
    "position": 1,
}
TALK_TYPE = {"id": 12, "name": {"fr": "Conférence", "en": "Talk"}, "default_duration": 30}
MONEY = {"id": 5, "name": {"fr": "Paiement"}, "description": {"fr": "L'argent"}, "color": "#0A66FF"}
PAYER: dict[str, Any] = {
    "code": "PAYER1",
    "title": "Payer au souk",
    "speakers": [NABIL],
    "submission_type": TALK_TYPE,
    "track": MONEY,
    "tags": [{"id": 1, "tag": "mobile", "is_public": True}, {"id": 2, "tag": "à relire", "is_public": False}],
    "state": "confirmed",
    "abstract": "Un résumé",
    "description": "Une *description*",
    "duration": 45,
    "slot_count": 1,
    "content_locale": "fr",
    "do_not_record": True,
    "image": "https://cfp.example.org/media/payer.png",
    "resources": [
        {"id": 66, "resource": "https://cfp.example.org/media/payer.pdf", "description": "Diapositives"},
        {"id": 67, "resource": "https://cfp.example.org/media/brouillon.pdf", "description": "Non", "is_public": False},
    ],
    "slots": [
        {
            "id": 900,
            "room": HALL,
            "start": "2021-12-18T10:00:00+01:00",
            "end": "2021-12-18T10:45:00+01:00",
            "duration": 45,
        }
    ],
    "answers": [
        {"id": 1, "question": 3, "answer": "Débutant", "options": [{"id": 10, "answer": {"fr": "Débutant"}}]},
        {"id": 2, "question": {"id": 4, "question": {"fr": "Votre site"}}, "answer": "https://nabil.example.org/souk"},
        {"id": 3, "question": {"id": 5, "question": "Taille de t-shirt", "is_public": False}, "answer": "M"},
    ],
    "is_featured": True,
    "internal_notes": "peut-être",
    "mean_score": 4.5,
}


def submission(code: str = "PAYER1", **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(PAYER), "code": code, **changes}


def slot(number: int, start: str, *, minutes: int = 45, room: Any = 3, **more: Any) -> dict[str, Any]:
    return {"id": number, "room": room, "start": start, "end": None, "duration": minutes, **more}


def expanded_page() -> dict[str, Any]:
    """One page of version `v1`, everything expanded."""
    return {"count": 1, "next": None, "previous": None, "results": [submission()]}


def dump_of_lists() -> dict[str, Any]:
    """Version `v1` without expanding: numbers and codes, which other lists explain."""
    return {
        "event": {"name": {"fr": "Été numérique"}, "slug": "ete-2021", "timezone": "Africa/Casablanca"},
        "submissions": {
            "count": 2,
            "next": None,
            "previous": None,
            "results": [
                submission(
                    speakers=["NABIL1"],
                    submission_type=12,
                    track=5,
                    tags=[1],
                    resources=[66],
                    slots=[900, 901],
                    answers=[1],
                ),
                submission("ATTEND", state="submitted", slots=[]),
            ],
        },
        "speakers": [NABIL],
        "rooms": [HALL],
        "tracks": [MONEY],
        "submission-types": [TALK_TYPE],
        "tags": [{"id": 1, "tag": "mobile"}],
        "questions": [{"id": 3, "question": {"fr": "Niveau"}, "variant": "choices", "is_public": True}],
        "answers": [{"id": 1, "question": 3, "answer": "Débutant", "submission": "PAYER1"}],
        "resources": [{"id": 66, "resource": "https://cfp.example.org/media/payer.pdf", "description": "Diapositives"}],
        "schedules": [{"id": 8, "version": "1.1", "published": "2021-12-01T10:00:00+01:00"}],
        "slots": [
            slot(900, "2021-12-18T10:00:00+01:00", submission="PAYER1", schedule=8),
            slot(901, "2021-12-19T16:00:00+01:00", submission="PAYER1", schedule=8),
            slot(902, "2021-12-18T12:00:00+01:00", submission=None, schedule=8, description={"fr": "Déjeuner"}),
        ],
    }


def first_version() -> dict[str, Any]:
    """The API before its versions had names: `schedules/latest/`."""
    talk = submission(
        submission_type={"fr": "Conférence", "en": "Talk"},
        submission_type_id=12,
        track={"fr": "Paiement"},
        track_id=5,
        tags=["mobile"],
        slot={
            "room": {"fr": "Salle Atlas"},
            "room_id": 3,
            "start": "2021-12-18T10:00:00+01:00",
            "end": "2021-12-18T10:45:00+01:00",
        },
        speakers=[
            {"code": "NABIL1", "name": "Nabil Cherkaoui", "biography": "", "avatar": "https://cfp.example.org/a.png"}
        ],
    )
    del talk["slots"]
    rest = {
        "room": {"fr": "Salle Atlas"},
        "room_id": 3,
        "start": "2021-12-18T12:00:00+01:00",
        "end": "2021-12-18T13:00:00+01:00",
        "description": {"fr": "Déjeuner"},
    }
    return {"slots": [talk], "version": "0.9", "breaks": [rest]}


def widget() -> dict[str, Any]:
    """`schedule/v2.json`."""
    talk = {
        "code": "PAYER1",
        "id": 900,
        "title": "Payer au souk",
        "abstract": "Un résumé",
        "speakers": ["NABIL1"],
        "track": 5,
        "start": "2021-12-18T10:00:00+01:00",
        "end": "2021-12-18T10:45:00+01:00",
        "room": 3,
        "duration": 45,
        "do_not_record": False,
    }
    again = {**talk, "id": 901, "start": "2021-12-19T16:00:00+01:00", "end": "2021-12-19T16:45:00+01:00"}
    rest = {
        "id": 902,
        "title": {"fr": "Déjeuner"},
        "start": "2021-12-18T12:00:00+01:00",
        "end": "2021-12-18T13:00:00+01:00",
        "room": 3,
    }
    return {
        "talks": [talk, rest, again],
        "version": "1.1",
        "timezone": "Africa/Casablanca",
        "event_start": "2021-12-18",
        "tracks": [MONEY],
        "rooms": [HALL],
        "speakers": [{"code": "NABIL1", "name": "Nabil Cherkaoui", "avatar": "https://cfp.example.org/a.png"}],
    }


def plan_by_minute() -> dict[str, Any]:
    """Days, minutes of the day, rooms: what an event's own site makes of the API."""
    twice = submission("SPRINT", slots=[slot(911, "2021-12-18T14:00:00+01:00"), slot(912, "2021-12-19T14:00:00+01:00")])
    return {
        "schedule": {"2021-12-18": {"590": {}, "600": {"3": submission()}}},
        "sprints": {"2021-12-18": {"840": {"3": twice}}, "2021-12-19": {"840": {"3": twice}}},
        "rooms": [HALL],
        "extra": {"2021-12-18": {"720": {"id": "samedi-dejeuner", "title": {"fr": "Déjeuner", "en": "Lunch"}}}},
        "speakers": {"NABIL1": NABIL},
    }


def sessionize_all() -> dict[str, Any]:
    return {
        "sessions": [
            {
                "id": "4711",
                "title": " Payer au souk ",
                "description": "Une description",
                "startsAt": "2021-12-18T10:00:00",
                "endsAt": "2021-12-18T10:45:00",
                "isServiceSession": False,
                "isPlenumSession": True,
                "speakers": ["9b1c"],
                "categoryItems": [21, 22, 31, 41, 51, 61],
                "questionAnswers": [{"questionId": 7, "answerValue": "Un projecteur"}],
                "roomId": 3,
                "liveUrl": "https://live.example.org/atlas",
                "recordingUrl": "https://videos.example.org/4711",
                "status": "Accepted",
                "isInformed": True,
                "isConfirmed": False,
            },
            {
                "id": "e2b4c7f0-4a53-4a3d-8d0e-1d1f5f2f3c11",
                "title": "Déjeuner",
                "description": None,
                "startsAt": "2021-12-18T12:00:00",
                "endsAt": "2021-12-18T13:00:00",
                "isServiceSession": True,
                "isPlenumSession": True,
                "speakers": [],
                "categoryItems": [],
                "questionAnswers": [],
                "roomId": 3,
                "liveUrl": None,
                "recordingUrl": None,
                "status": None,
            },
        ],
        "speakers": [
            {
                "id": "9b1c",
                "firstName": "Nabil",
                "lastName": "Cherkaoui",
                "fullName": "Nabil Cherkaoui",
                "bio": "Il paie.",
                "tagLine": "Caissier",
                "profilePicture": "https://img.example.org/nabil.jpg",
                "isTopSpeaker": True,
                "links": [{"title": "Blog", "url": "https://nabil.example.org/", "linkType": "Blog"}],
                "sessions": [4711],
                "categoryItems": [71],
                "questionAnswers": [],
            }
        ],
        "questions": [{"id": 7, "question": "Matériel", "questionType": "Short_Text", "sort": 1}],
        "categories": [
            {"id": 2, "title": "Which track?", "items": [{"id": 21, "name": "Paiement"}, {"id": 22, "name": "Web"}]},
            {"id": 3, "title": "Session format", "items": [{"id": 31, "name": "Conférence"}]},
            {"id": 4, "title": "Level", "items": [{"id": 41, "name": "100 - Débutant"}]},
            {"id": 5, "title": "Language", "items": [{"id": 51, "name": "French"}]},
            {"id": 6, "title": "Tags", "items": [{"id": 61, "name": "mobile"}]},
            {"id": 8, "title": "Are you new?", "type": "speaker", "items": [{"id": 71, "name": "Oui"}]},
        ],
        "rooms": [{"id": 3, "name": "Salle Atlas", "sort": 0}],
    }


def _nested_session() -> dict[str, Any]:
    session: dict[str, Any] = sessionize_all()["sessions"][0]
    named = {"id": 21, "name": "Paiement"}
    return {
        **session,
        "speakers": [{"id": "9b1c", "name": "Nabil Cherkaoui"}],
        "categoryItems": [],
        "categories": [{"id": 2, "name": "Which track?", "categoryItems": [named], "sort": 0}],
        "questionAnswers": [{"id": 7, "question": "Matériel", "answer": "Un projecteur"}],
        "room": "Salle Atlas",
    }


def sessionize_groups() -> list[Any]:
    """`view/Sessions`."""
    return [{"groupId": 2, "groupName": "Paiement", "sessions": [_nested_session()], "isDefault": True}]


def sessionize_grid() -> list[Any]:
    """`view/GridSmart`: a plenary is listed in each room, and all of it again by hour."""
    room = {"id": 3, "name": "Salle Atlas", "sessions": [_nested_session()], "hasOnlyPlenumSessions": False}
    again = {"id": 4, "name": "Salle Rif", "sessions": [_nested_session()]}
    hours = [
        {"slotStart": "10:00:00", "rooms": [{"id": 3, "name": "Salle Atlas", "session": _nested_session(), "index": 0}]}
    ]
    return [{"date": "2021-12-18T00:00:00", "isDefault": True, "rooms": [room, again], "timeSlots": hours}]


def app_payload() -> dict[str, Any]:
    """What an app's server hands to its phones."""
    return {
        "sessions": [
            {
                "id": "a1",
                "title": "Payer au souk",
                "description": "Une description",
                "speakerIds": ["s1"],
                "location": "Salle Atlas",
                "startsAt": "2021-12-18T10:00",
                "endsAt": "2021-12-18T10:45",
                "tags": ["Débutant"],
                "videoUrl": "https://videos.example.org/a1",
            },
            {
                "id": "a2",
                "title": "Pause café",
                "speakerIds": [],
                "location": "Salle Atlas",
                "startsAt": "2021-12-18T10:45",
                "endsAt": "2021-12-18T11:00",
                "tags": [],
                "videoUrl": None,
            },
        ],
        "speakers": [
            {
                "id": "s1",
                "name": "Nabil Cherkaoui",
                "position": "Caissier",
                "description": "Il paie.",
                "photoUrl": "https://img.example.org/nabil.jpg",
            }
        ],
    }


def agency_agenda() -> dict[str, Any]:
    """Two languages in every text, clocks beside a date, no ids, and a zone in a remark."""
    return {
        "event": {"title": {"en": "Building days", "ar": "أيام البناء"}, "note": "times are local (Africa/Casablanca)"},
        "slots": [
            {
                "date": "2021-12-18",
                "start": "09:00",
                "end": "09:30",
                "block": {"en": "Session 1", "ar": "جلسة 1"},
                "title": {"en": "Registration", "ar": "التسجيل"},
                "text_lines": [],
            },
            {
                "date": "2021-12-18",
                "start": "09:30",
                "end": "10:15",
                "block": {"en": "Session 1", "ar": "جلسة 1"},
                "title": {"en": "National anthem", "ar": "اﻟﻨﺸﻴﺪ اﻟﻮﻃﻨﻲ"},
                "text_lines": [{"en": "Speakers:", "ar": "المتحدثون"}, {"en": "Mr. Omar", "ar": "ﻋﻤﺮ"}],
            },
            {
                "date": "2021-12-18",
                "start": None,
                "end": None,
                "block": {"en": "Workshops", "ar": "ورش"},
                "title": {"en": "Innovation hub", "ar": "مركز الابتكار"},
                "text_lines": [],
            },
        ],
        "glossary": {"Agenda": {"en": "Agenda", "ar": "جدول الأعمال"}},
    }


SAMPLES = {
    "pretalx, a page": expanded_page,
    "pretalx, a dump": dump_of_lists,
    "pretalx, first version": first_version,
    "pretalx, widget": widget,
    "pretalx, a plan": plan_by_minute,
    "sessionize, all": sessionize_all,
    "sessionize, groups": sessionize_groups,
    "sessionize, grid": sessionize_grid,
    "app": app_payload,
    "agency": agency_agenda,
}
