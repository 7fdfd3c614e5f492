"""Programmes of every shape, for the tests of frab's writers: a good one by hand, and whatever hypothesis finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hypothesis import strategies as st

from server.interchange.programme import (
    Day,
    Kind,
    Link,
    Programme,
    Publication,
    Room,
    Session,
    Speaker,
    Track,
)

LANGUAGES = ("fr", "ar", "en")
MORNING = datetime(2021, 12, 18, 9, tzinfo=UTC)


def published(programme: Programme, **fields: Any) -> Publication:
    things = {
        "room": programme.rooms,
        "track": programme.tracks,
        "speaker": programme.speakers,
        "session": programme.sessions,
    }
    ids = {f"{kind}:{each.key}": our_id(kind, each.key) for kind, listed in things.items() for each in listed}  # type: ignore[attr-defined]
    usual: dict[str, Any] = {
        "slug": "forum-2021",
        "default_language": "fr",
        "url": "https://app.example/events/forum-2021/schedule.xml",
        "base_url": "https://app.example/events/forum-2021",
        "updated_at": datetime(2021, 12, 1, 8, 30, tzinfo=UTC),
    }
    return Publication(programme=programme, ids=ids, **{**usual, **fields})


def our_id(kind: str, key: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{kind}:{key}"))


def session(key: str, start: datetime = MORNING, minutes: float = 45, **fields: Any) -> Session:
    given: dict[str, Any] = {"title": {"fr": f"Titre {key}"}, "room": "atlas", **fields}
    return Session(key=key, starts_at=start, ends_at=start + timedelta(minutes=minutes), **given)


def programme(*sessions: Session, **fields: Any) -> Programme:
    usual: dict[str, Any] = {
        "title": {"fr": "Forum", "ar": "المنتدى", "en": "Forum"},
        "timezone": "Africa/Casablanca",
        "version": "4",
        "rooms": (Room(key="atlas", name={"fr": "Atlas", "ar": "أطلس"}),),
        "sessions": sessions,
    }
    return Programme(**{**usual, **fields})


RICH = programme(
    session(
        "a",
        number=7,
        title={"fr": "Payer <vite> & bien", "ar": "الدفع \u200f(2021)\u200e", "en": "Paying"},
        subtitle={"fr": "Sous-titre", "ar": "عنوان"},
        abstract={"fr": "<p>HTML\r\n&amp; plus</p>", "en": "x"},
        description={"ar": "وصف"},
        track="x",
        kind="keynote",
        speakers=("ana", "omar"),
        roles={"omar": "moderator"},
        languages=("fr", "ar"),
        url="https://forum.example/7",
        logo_url="https://forum.example/7.png",
        links=(
            Link(url="https://a.example/?a=1&b=2", title={"fr": "Article", "en": "Paper"}),
            Link(url="https://live.example", kind="stream"),
            Link(url="https://f.example", kind="feedback"),
            Link(url="https://v.example", kind="recording"),
            Link(url="https://s.example/a.pdf", title={"fr": "Diapos"}, kind="file"),
        ),
        license="CC BY 4.0",
        do_not_record=True,
        extra={"code": "AB12CD", "slug": "forum-payer-vite", "mood": [1]},
    ),
    session("b", MORNING + timedelta(hours=1), kind="lunch", service=True, room=None),
    session("c", MORNING + timedelta(hours=2), service=True, room=None),
    session("d", MORNING + timedelta(hours=3), status="moved", room="rif"),
    session("e", MORNING + timedelta(hours=3), status="delayed", track="pay", speakers=("ana",)),
    session("f", MORNING + timedelta(hours=5), status="cancelled"),
    session("g", MORNING + timedelta(hours=17, minutes=30)),
    day_begins="04:00",
    days=(
        Day(
            date="2021-12-18",
            name={"fr": "Premier jour"},
            starts_at=MORNING - timedelta(hours=1),
            ends_at=MORNING + timedelta(hours=10),
        ),
    ),
    rooms=(
        Room(key="atlas", name={"fr": "Atlas", "ar": "أطلس"}, capacity=300, floor="1", description={"fr": "Vue"}),
        Room(key="rif", name={"fr": "Rif"}, extra={"mood": "calm"}),
        Room(key="empty", name={"fr": "Sahara"}),
    ),
    tracks=(
        Track(key="pay", name={"fr": "Paiement"}, color="#0a66ff"),
        Track(key="x", name={"fr": "Dix", "en": "Ten"}),
    ),
    kinds=(Kind(key="keynote", name={"fr": "Plénière", "en": "Keynote"}), Kind(key="lunch", name={"fr": "Déjeuner"})),
    speakers=(
        Speaker(
            key="ana",
            name={"fr": "Ana Alaoui", "ar": "آنا العلوي"},
            bio={"fr": "Née à Fès", "en": "Born in Fez"},
            organisation={"fr": "Banque"},
            tagline={"fr": "Directrice"},
            photo_url="https://forum.example/ana.jpg",
            links=(Link(url="https://ana.example"),),
        ),
        Speaker(key="omar", name={"fr": "Omar"}, extra={"code": "OMAR1"}),
        Speaker(key="idle", name={"fr": "Salma"}),
    ),
    extra={"acronym": "forum2027", "mood": {"a": None}},
)

_WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(lambda text: text.strip() != "")
_TAGS = st.sampled_from((*LANGUAGES, "und"))
_URLS = st.integers(1, 9).map("https://example.org/{}?a=1&b=<>".replace("<>", "2").format)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(("x", "AB12CD", "forum-payer", "https://e.example/")),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("url", "type", "a")), inner, max_size=2)
    ),
    max_leaves=4,
)
_SOURCES_NAMES = (
    *(
        "slug",
        "code",
        "origin_url",
        "type",
        "links",
        "attachments",
        "id",
        "guid",
        "mood",
        "colors",
        "features",
        "acronym",
    ),
    *("url", "logo", "languages", "defaults", "meta", "timeslot_duration", "schedule", "assembly", "do_not_stream"),
)
_EXTRA = st.dictionaries(st.sampled_from(_SOURCES_NAMES), _JSON, max_size=3)


def _texts(suffix: str = "", *, least: int = 0) -> st.SearchStrategy[dict[str, str]]:
    found = st.dictionaries(_TAGS, _WORDS, min_size=least, max_size=3)
    return found.map(lambda texts: {tag: f"{text.strip()}{suffix}" for tag, text in texts.items()})


def _links() -> st.SearchStrategy[tuple[Link, ...]]:
    kinds = st.sampled_from(("link", "file", "stream", "recording", "feedback"))
    one = st.builds(Link, url=_URLS, title=_texts(), kind=kinds)
    return st.lists(one, max_size=4, unique_by=lambda link: (link.url, link.kind)).map(tuple)


@st.composite
def _doors(draw: st.DrawFn) -> Day:
    """On a day with sessions or on one without."""
    morning = MORNING + timedelta(days=draw(st.sampled_from((0, 6))))
    return Day(
        date=f"{morning:%Y-%m-%d}",
        name=draw(_texts()),
        starts_at=draw(st.sampled_from((None, morning))),
        ends_at=draw(st.sampled_from((None, morning + timedelta(hours=9)))),
    )


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    """Every reference leads somewhere. Names within one list differ, whatever the language."""
    optional_url = st.none() | _URLS
    rooms = tuple(
        draw(
            st.builds(
                Room,
                key=st.just(f"r{n}"),
                name=_texts(f" {n}", least=1),
                description=_texts(),
                capacity=st.none() | st.integers(1, 9999),
                floor=st.none() | st.just("2"),
                extra=_EXTRA,
            )
        )
        for n in range(draw(st.integers(0, 3)))
    )
    tracks = tuple(
        draw(
            st.builds(
                Track,
                key=st.just(key),
                name=_texts(f" {key}", least=1),
                description=_texts(),
                color=st.none() | st.just("#0a66ff"),
                extra=_EXTRA,
            )
        )
        for key in ("web", "x", "Ω 2")[: draw(st.integers(0, 3))]
    )
    kinds = tuple(Kind(key=f"k{n}", name=draw(_texts(f" {n}", least=1))) for n in range(draw(st.integers(0, 2))))
    speakers = tuple(
        draw(
            st.builds(
                Speaker,
                key=st.just(f"s{n}"),
                name=_texts(f" {n}", least=1),
                organisation=_texts(),
                tagline=_texts(),
                bio=_texts(),
                photo_url=optional_url,
                links=_links(),
                extra=_EXTRA,
            )
        )
        for n in range(draw(st.integers(0, 3)))
    )

    def one_of(things: tuple[Any, ...]) -> st.SearchStrategy[str | None]:
        return st.none() | st.sampled_from([each.key for each in things]) if things else st.none()

    sessions = []
    for n in range(draw(st.integers(1, 5))):
        named = draw(st.permutations([each.key for each in speakers]))[: draw(st.integers(0, 3))]
        moderated = named[: draw(st.integers(0, 1))]
        start = MORNING + timedelta(minutes=draw(st.integers(-600, 4000)))
        sessions.append(
            draw(
                st.builds(
                    Session,
                    key=st.sampled_from((f"e{n}", our_id("session", f"own {n}"))),
                    number=st.sampled_from((None, n + 1)),
                    title=_texts(least=1),
                    subtitle=_texts(),
                    abstract=_texts(),
                    description=_texts(),
                    starts_at=st.just(start),
                    ends_at=st.sampled_from([start + timedelta(minutes=length) for length in (1, 30, 90, 1440, 4000)]),
                    room=one_of(rooms),
                    track=one_of(tracks),
                    kind=one_of(kinds),
                    speakers=st.just(tuple(named)),
                    roles=st.sampled_from([dict.fromkeys(moderated, role) for role in ("moderator", "panelist")]),
                    languages=st.lists(st.sampled_from((*LANGUAGES, "ar-MA")), max_size=2, unique=True).map(tuple),
                    service=st.booleans(),
                    url=optional_url,
                    logo_url=optional_url,
                    links=_links(),
                    license=st.just("") | _WORDS,
                    do_not_record=st.booleans(),
                    status=st.sampled_from(("scheduled", "moved", "delayed", "cancelled")),
                    extra=_EXTRA,
                )
            )
        )
    doors = draw(st.lists(_doors(), max_size=2, unique_by=lambda day: day.date))
    return Programme(
        title=draw(_texts(least=1)),
        timezone=draw(st.sampled_from(("Africa/Casablanca", "Europe/Paris", "UTC", "Etc/GMT-1", "America/New_York"))),
        day_begins=draw(st.sampled_from(("00:00", "04:00", "05:37"))),
        version=draw(st.sampled_from(("", "7"))),
        days=tuple(sorted(doors, key=lambda day: day.date)),
        rooms=rooms,
        tracks=tracks,
        kinds=kinds,
        speakers=speakers,
        sessions=tuple(sessions),
        extra=draw(_EXTRA),
    )
