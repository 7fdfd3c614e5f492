"""pretalx's API as files: versions, wrappings, several slots, breaks, and what stays private."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule
from server.interchange.json_lists import pretalx
from tests.interchange.json_lists import json_samples as samples

if TYPE_CHECKING:
    from server.interchange.programme import Programme, Session

ZONE = "Africa/Casablanca"
TALK = "PAYER1"


def read(file: Any) -> Programme:
    return read_schedule(json.dumps(file).encode(), timezone=ZONE)


def notes(programme: Programme) -> str:
    return "\n".join(f"{repair.where}: {repair.what}" for repair in programme.repairs)


def by_key(programme: Programme) -> dict[str, Session]:
    return {session.key: session for session in programme.sessions}


def page(*submissions: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return {"count": len(submissions), "next": None, "previous": None, "results": list(submissions), **beside}


def test_expanded_page_is_read_whole() -> None:
    programme = read(samples.expanded_page())
    (talk,) = programme.sessions
    assert (talk.key, talk.title, talk.languages) == (TALK, {"fr": "Payer au souk"}, ("fr",))
    assert (talk.starts_at.isoformat(), talk.ends_at.isoformat()) == (
        "2021-12-18T09:00:00+00:00",
        "2021-12-18T09:45:00+00:00",
    )
    assert talk.description == {"fr": "Une *description*"}  # Markdown stays text
    assert talk.do_not_record
    assert talk.logo_url == "https://cfp.example.org/media/payer.png"
    assert [(link.kind, link.url, link.title) for link in talk.links] == [
        ("file", "https://cfp.example.org/media/payer.pdf", {"und": "Diapositives"}),
        ("link", "https://nabil.example.org/souk", {"fr": "Votre site"}),
    ]
    assert talk.extra["tags"] == ["mobile"]
    assert talk.extra["is_featured"] is True
    (room,), (track,), (kind,), (speaker,) = programme.rooms, programme.tracks, programme.kinds, programme.speakers
    assert (room.key, room.name, room.capacity) == ("3", {"fr": "Salle Atlas", "ar": "قاعة الأطلس"}, 120)
    assert room.extra["uuid"] == samples.HALL["uuid"]
    assert (track.key, track.color, track.description) == ("5", "#0a66ff", {"fr": "L'argent"})
    assert (kind.key, kind.name) == ("12", {"fr": "Conférence", "en": "Talk"})
    assert (speaker.key, speaker.photo_url) == ("NABIL1", "https://cfp.example.org/media/nabil.png")
    assert speaker.bio == {"und": "Il paie **en ligne**."}


def test_numbers_are_looked_up_in_the_other_lists_of_a_dump() -> None:
    programme = read(samples.dump_of_lists())
    talk = by_key(programme)[TALK]
    assert (programme.title, programme.timezone, programme.version) == ({"fr": "Été numérique"}, ZONE, "1.1")
    assert (talk.room, talk.track, talk.kind, talk.speakers) == ("3", "5", "12", ("NABIL1",))
    assert talk.extra["tags"] == ["mobile"]
    assert talk.extra["answers"] == [{"question": {"fr": "Niveau"}, "answer": "Débutant"}]
    assert [link.kind for link in talk.links] == ["file"]
    assert programme.extra == {"event": {"slug": "ete-2021"}}
    assert "submission ATTEND: its state is submitted; left out" in notes(programme)


@pytest.mark.parametrize("sample", ["first_version", "widget", "plan_by_minute"])
def test_every_version_says_the_same_of_a_talk(sample: str) -> None:
    programme = read(getattr(samples, sample)())
    expanded = read(samples.expanded_page()).sessions[0]
    talk = by_key(programme)[TALK]
    for field in ("starts_at", "ends_at", "room", "track", "speakers"):
        assert getattr(talk, field) == getattr(expanded, field)
    assert list(talk.title.values()) == list(expanded.title.values())


@pytest.mark.parametrize(
    "wrap",
    [
        lambda one, two: [one, two],
        lambda one, two: [page(one), page(two)],
        lambda one, two: {"submissions": [one, two]},
        lambda one, two: {"talks": page(one, two)},
        lambda one, two: {"confirmed": [one], "others": [two]},
        lambda one, two: {"submissions": {"PAYER1": one, "AUTRE2": two}},
        lambda one, two: page(one, two, one),
    ],
    ids=["a list", "pages", "a name", "a named page", "several names", "by code", "a page with one twice"],
)
def test_same_submissions_are_read_from_every_wrapping(wrap: Any) -> None:
    one = samples.submission()
    two = samples.submission("AUTRE2", title="Autre", content_locale="ar")
    programme = read(wrap(one, two))
    assert {session.key for session in programme.sessions} == {TALK, "AUTRE2"}
    assert len(programme.sessions) == 2


def several_slots(*ids_and_starts: tuple[int, str]) -> dict[str, Any]:
    return page(samples.submission(slots=[samples.slot(number, start) for number, start in ids_and_starts]))


MORNING, AFTERNOON, NEXT_DAY = (
    "2021-12-18T10:00:00+01:00",
    "2021-12-18T16:00:00+01:00",
    "2021-12-19T10:00:00+01:00",
)


def test_submission_held_several_times_has_the_same_keys_in_every_released_version() -> None:
    """pretalx gives every slot a new number with each version: neither numbers nor the order of the file may count."""
    first = read(several_slots((900, MORNING), (901, AFTERNOON), (902, NEXT_DAY)))
    later = read(several_slots((1703, NEXT_DAY), (1701, AFTERNOON), (1702, MORNING)))
    keys = {session.starts_at: session.key for session in first.sessions}
    assert list(keys.values()) == [TALK, f"{TALK}-2", f"{TALK}-3"]
    assert {session.starts_at: session.key for session in later.sessions} == keys


def test_keys_of_slot_numbers_would_not_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the reader that takes a slot's number for its name."""
    placed = pretalx._placed

    def careless(shared: Any, slot: dict[str, Any]) -> Any:
        draft = placed(shared, slot)
        return type(draft)(
            **{field: getattr(draft, field) for field in draft.__struct_fields__} | {"id": f"{draft.id}-{slot['id']}"}
        )

    monkeypatch.setattr(pretalx, "_placed", careless)
    with pytest.raises(AssertionError):
        test_submission_held_several_times_has_the_same_keys_in_every_released_version()


def test_key_that_another_submission_has_is_not_given_twice() -> None:
    twice = samples.submission(slots=[samples.slot(1, MORNING), samples.slot(2, AFTERNOON)])
    other = samples.submission(f"{TALK}-2", slots=[samples.slot(3, NEXT_DAY)])
    keys = {session.key for session in read(page(twice, other)).sessions}
    assert len(keys) == 3
    assert {TALK, f"{TALK}-2"} < keys


def test_plan_that_lists_a_submission_on_both_its_days_has_two_sessions_of_it() -> None:
    programme = read(samples.plan_by_minute())
    assert set(by_key(programme)) == {TALK, "SPRINT", "SPRINT-2", "samedi-dejeuner"}


def test_break_of_a_plan_lasts_until_the_next_session() -> None:
    programme = read(samples.plan_by_minute())
    lunch = by_key(programme)["samedi-dejeuner"]
    assert lunch.service
    assert lunch.title == {"fr": "Déjeuner", "en": "Lunch"}
    assert (lunch.starts_at.isoformat(), lunch.ends_at.isoformat()) == (
        "2021-12-18T11:00:00+00:00",
        "2021-12-18T13:00:00+00:00",
    )
    assert "no end is given; taken as lasting until the next session begins" in notes(programme)


@pytest.mark.parametrize("sample", ["dump_of_lists", "first_version", "widget"])
def test_break_has_the_same_key_in_every_version(sample: str) -> None:
    (lunch,) = [session for session in read(getattr(samples, sample)()).sessions if session.service]
    assert lunch.title == {"fr": "Déjeuner"}
    assert lunch.room == "3"
    assert lunch.key == next(session.key for session in read(samples.widget()).sessions if session.service)


def breaks_of(file: dict[str, Any]) -> dict[tuple[str, str | None], str]:
    return {
        (session.starts_at.isoformat(), session.room): session.key for session in read(file).sessions if session.service
    }


def test_breaks_of_one_name_keep_their_keys_whatever_the_order_and_the_numbers() -> None:
    file = samples.dump_of_lists()
    for day in (18, 19):
        for hour, room in ((10, 3), (10, 4), (16, 3)):
            start = f"2021-12-{day}T{hour}:30:00+01:00"
            file["slots"].append(
                samples.slot(day * 100 + hour + room, start, room=room, submission=None, description={"fr": "Pause"})
            )
    keys = breaks_of(file)
    random.Random(1).shuffle(file["slots"])
    for number, entry in enumerate(file["slots"]):
        if entry["submission"] is None:
            entry["id"] = 5000 + number
    assert breaks_of(file) == keys
    assert len([session for session in read(file).sessions if session.service]) == 7


@pytest.mark.parametrize("state", ["submitted", "rejected", "withdrawn", "draft", "deleted"])
def test_states_that_are_not_for_the_public_are_left_out(state: str) -> None:
    programme = read(page(samples.submission(), samples.submission("SECRET", state=state)))
    assert [session.key for session in programme.sessions] == [TALK]
    assert f"submission SECRET: its state is {state}; left out" in notes(programme)


@pytest.mark.parametrize(
    ("state", "status"),
    [("accepted", "scheduled"), ("confirmed", "scheduled"), ("canceled", "cancelled"), ("fancy", "scheduled")],
)
def test_states_that_are_shown(state: str, status: str) -> None:
    programme = read(page(samples.submission(state=state)))
    assert programme.sessions[0].status == status
    assert ("is not known" in notes(programme)) == (state == "fancy")


def test_what_organisers_say_among_themselves_is_not_kept_and_said_so() -> None:
    nabil = {**samples.NABIL, "email": "nabil@example.org", "availabilities": [{"start": MORNING}]}
    file = page(samples.submission(speakers=[nabil], access_code=13, anonymised_data='{"title": "?"}'))
    programme = read(file)
    kept = json.dumps([session.extra for session in programme.sessions] + [one.extra for one in programme.speakers])
    for secret in ("peut-être", "4.5", "nabil@", "13", "brouillon", "à relire", "t-shirt"):
        assert secret not in kept
    for field in ("internal_notes", "mean_score", "access_code", "anonymised_data", "answers that are not public"):
        assert f"field `{field}` in 1 event is not kept" in notes(programme)
    assert "field `email` at 1 mention of a speaker is not kept" in notes(programme)


def test_reader_that_keeps_what_is_private_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretalx, "_PRIVATE", frozenset())
    with pytest.raises(AssertionError):
        test_what_organisers_say_among_themselves_is_not_kept_and_said_so()


def test_unknown_fields_are_kept_by_their_own_names() -> None:
    nabil = {**samples.NABIL, "pronouns": "il"}
    hall = {**samples.HALL, "step_free": True}
    slots = [samples.slot(1, MORNING, room=hall)]
    programme = read(
        page(samples.submission(speakers=[nabil], slots=slots, prerequisites={"fr": "Un portable"}), weather="beau")
    )
    assert programme.sessions[0].extra["prerequisites"] == {"fr": "Un portable"}
    assert programme.speakers[0].extra == {"pronouns": "il"}
    assert programme.rooms[0].extra["step_free"] is True
    assert programme.extra == {"weather": "beau"}


def test_slots_of_the_version_in_the_making_are_not_published() -> None:
    file = samples.dump_of_lists()
    file["submissions"]["results"][0]["slots"] = []
    file["slots"] += [
        samples.slot(990, "2021-12-18T20:00:00+01:00", submission=TALK, schedule=9),
        samples.slot(991, "2021-12-18T21:00:00+01:00", submission=TALK, schedule=8, is_visible=False),
        samples.slot(992, "2021-12-18T22:00:00+01:00", submission=None, schedule=8, slot_type="blocker"),
    ]
    programme = read(file)
    assert {session.starts_at.hour for session in programme.sessions} == {9, 11, 15}
    assert "slots of 2 schedules; those of schedule 8 were taken" in notes(programme)
    assert "a slot that is not shown to the public; left out" in notes(programme)


def test_submission_twice_with_other_words_is_reported() -> None:
    programme = read(page(samples.submission(), samples.submission(title="Un autre titre")))
    assert [session.title for session in programme.sessions] == [{"fr": "Payer au souk"}]
    assert f"submission {TALK}: `title` is not what it is elsewhere; the first was kept" in notes(programme)


def test_slot_without_an_end_lasts_as_long_as_its_type() -> None:
    programme = read(page(samples.submission(duration=None, slots=[samples.slot(1, MORNING, minutes=0)])))
    assert (programme.sessions[0].ends_at - programme.sessions[0].starts_at).seconds == 30 * 60


def test_zone_is_told_by_the_offsets_where_nobody_names_it() -> None:
    programme = read_schedule(json.dumps(samples.expanded_page()).encode())
    assert programme.timezone == "Etc/GMT-1"
    assert "Etc/GMT-1 was taken after the offsets of the times" in notes(programme)


def test_zone_of_the_event_goes_into_the_report_only_where_it_was_used() -> None:
    assert f"{ZONE} was taken, as given for the event" in notes(read(samples.expanded_page()))
    assert "as given for the event" not in notes(read(samples.widget()))


def test_submissions_that_nobody_has_scheduled_are_no_programme() -> None:
    with pytest.raises(UnreadableSchedule, match=r"^no session at all in the file: export it again once"):
        read(page(samples.submission(slots=[])))
