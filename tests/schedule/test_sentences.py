"""What a phone shows of a session's change: each kind and their combinations, to the letter, in three languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from msgspec.structs import replace

from server.schedule.policy import kinds_of
from server.schedule.sentences import MAX_SHOWN
from tests.schedule.told import (
    ATLAS,
    EVENT,
    HICHAM,
    IHSSANE,
    KARIM,
    NADIA,
    SALMA,
    SESSION,
    at,
    plain,
    tell,
)


class Case(NamedTuple):
    before: dict[str, Any]
    """In which the session differs from `told.SESSION`."""
    after: dict[str, Any]
    kinds: list[str]
    fr: str
    ar: str
    en: str


CASES: dict[str, Case] = {
    "cancelled": Case(
        {},
        {"status": "cancelled"},
        ["cancelled"],
        "La session «~[Ouverture]~» est annulée.",
        "أُلغيت جلسة «[الافتتاح]».",
        "“[Opening]” is cancelled.",
    ),
    "cancelled and moved at once": Case(
        {},
        {"status": "cancelled", "room_id": ATLAS},
        ["cancelled", "moved"],
        "La session «~[Ouverture]~» est annulée.",
        "أُلغيت جلسة «[الافتتاح]».",
        "“[Opening]” is cancelled.",
    ),
    "cancelled, and stays so": Case(
        {"status": "cancelled"},
        {"room_id": ATLAS},
        ["details"],
        "La session «~[Ouverture]~» reste annulée~; ses détails ont changé.",
        "جلسة «[الافتتاح]» ما زالت ملغاة، وتغيرت تفاصيلها.",
        "“[Opening]” is still cancelled; its details have changed.",
    ),
    "reinstated": Case(
        {"status": "cancelled"},
        {"status": "scheduled"},
        ["reinstated"],
        "La session «~[Ouverture]~» a finalement lieu et commence à 10~h.",
        "جلسة «[الافتتاح]» لم تعد ملغاة وتبدأ على الساعة 10:00.",
        "“[Opening]” takes place after all and starts at 10:00.",
    ),
    "reinstated elsewhere and later": Case(
        {"status": "cancelled"},
        {"status": "moved", "room_id": ATLAS, "starts_at": at("12:30"), "ends_at": at("13:30")},
        ["reinstated", "moved", "delayed"],
        (
            "La session «~[Ouverture]~» a finalement lieu, change de salle "
            "([Salle Atlas]) et commence désormais à 12~h~30 au lieu de 10~h."
        ),
        "جلسة «[الافتتاح]» لم تعد ملغاة، وتنتقل إلى [قاعة الأطلس]، وتبدأ على الساعة 12:30 بدل الساعة 10:00.",
        "“[Opening]” takes place after all, moves to [Atlas Room] and now starts at 12:30 instead of 10:00.",
    ),
    "moved": Case(
        {},
        {"status": "moved", "room_id": ATLAS},
        ["moved"],
        "La session «~[Ouverture]~» change de salle ([Salle Atlas]).",
        "جلسة «[الافتتاح]» تنتقل إلى [قاعة الأطلس].",
        "“[Opening]” moves to [Atlas Room].",
    ),
    "a room at last": Case(
        {"room_id": None},
        {"room_id": ATLAS},
        ["moved"],
        "La session «~[Ouverture]~» a désormais une salle ([Salle Atlas]).",
        "جلسة «[الافتتاح]» تُعقد في [قاعة الأطلس].",
        "“[Opening]” takes place in [Atlas Room].",
    ),
    "a room no more": Case(
        {},
        {"room_id": None},
        ["moved"],
        "La session «~[Ouverture]~» n’a plus de salle attribuée.",
        "جلسة «[الافتتاح]» لم تعد لها قاعة محددة.",
        "“[Opening]” no longer has a room.",
    ),
    "delayed": Case(
        {},
        {"status": "delayed", "starts_at": at("10:30"), "ends_at": at("11:30")},
        ["delayed"],
        "La session «~[Ouverture]~» commence désormais à 10~h~30 au lieu de 10~h.",
        "جلسة «[الافتتاح]» تبدأ على الساعة 10:30 بدل الساعة 10:00.",
        "“[Opening]” now starts at 10:30 instead of 10:00.",
    ),
    "brought forward": Case(
        {},
        {"status": "moved", "starts_at": at("09:05"), "ends_at": at("10:05")},
        ["brought_forward"],
        "La session «~[Ouverture]~» commence désormais à 9~h~05 au lieu de 10~h.",
        "جلسة «[الافتتاح]» تبدأ على الساعة 09:05 بدل الساعة 10:00.",
        "“[Opening]” now starts at 09:05 instead of 10:00.",
    ),
    "another day": Case(
        {},
        {"starts_at": at("10:00", "2020-12-19"), "ends_at": at("11:00", "2020-12-19")},
        ["delayed"],
        "La session «~[Ouverture]~» commence désormais samedi à 10~h au lieu de vendredi à 10~h.",
        "جلسة «[الافتتاح]» تبدأ يوم السبت على الساعة 10:00 بدل يوم الجمعة على الساعة 10:00.",
        "“[Opening]” now starts on Saturday at 10:00 instead of Friday at 10:00.",
    ),
    "another week": Case(
        {},
        {"starts_at": at("09:00", "2020-12-26"), "ends_at": at("11:00", "2020-12-26")},
        ["delayed", "extended"],
        (
            "La session «~[Ouverture]~» commence désormais le samedi "
            "26~décembre à 9~h au lieu du vendredi 18~décembre à 10~h."
        ),
        "جلسة «[الافتتاح]» تبدأ يوم السبت 26~دجنبر على الساعة 09:00 بدل يوم الجمعة 18~دجنبر على الساعة 10:00.",
        "“[Opening]” now starts on Saturday 26~December at 09:00 instead of Friday 18~December at 10:00.",
    ),
    "another year": Case(
        {},
        {"starts_at": at("09:00", "2021-01-01"), "ends_at": at("11:00", "2021-01-01")},
        ["delayed", "extended"],
        (
            "La session «~[Ouverture]~» commence désormais le vendredi "
            "1er~janvier 2021 à 9~h au lieu du vendredi 18~décembre 2020 à 10~h."
        ),
        (
            "جلسة «[الافتتاح]» تبدأ يوم الجمعة 1~يناير 2021 على "
            "الساعة 09:00 بدل يوم الجمعة 18~دجنبر 2020 على الساعة 10:00."
        ),
        "“[Opening]” now starts on Friday 1~January 2021 at 09:00 instead of Friday 18~December 2020 at 10:00.",
    ),
    "delayed, nobody knows until when": Case(
        {},
        {"status": "delayed"},
        ["delayed"],
        "La session «~[Ouverture]~» est retardée.",
        "جلسة «[الافتتاح]» ستتأخر عن موعدها.",
        "“[Opening]” is delayed.",
    ),
    "no longer delayed": Case(
        {"status": "delayed"},
        {"status": "scheduled"},
        ["on_schedule"],
        "La session «~[Ouverture]~» commence à 10~h.",
        "جلسة «[الافتتاح]» تبدأ على الساعة 10:00.",
        "“[Opening]” starts at 10:00.",
    ),
    "extended": Case(
        {},
        {"ends_at": at("11:30")},
        ["extended"],
        "La session «~[Ouverture]~» se termine désormais à 11~h~30 au lieu de 11~h.",
        "جلسة «[الافتتاح]» تنتهي على الساعة 11:30 بدل الساعة 11:00.",
        "“[Opening]” now ends at 11:30 instead of 11:00.",
    ),
    "shortened": Case(
        {},
        {"ends_at": at("10:45")},
        ["shortened"],
        "La session «~[Ouverture]~» se termine désormais à 10~h~45 au lieu de 11~h.",
        "جلسة «[الافتتاح]» تنتهي على الساعة 10:45 بدل الساعة 11:00.",
        "“[Opening]” now ends at 10:45 instead of 11:00.",
    ),
    "one more speaker": Case(
        {},
        {"speaker_ids": [SALMA, KARIM]},
        ["speakers"],
        "La session «~[Ouverture]~» accueille aussi [Salma Idrissi].",
        "جلسة «[الافتتاح]» تُعقد بمشاركة [سلمى الإدريسي] أيضا.",
        "“[Opening]” has [Salma Idrissi] as a new speaker.",
    ),
    "two more speakers": Case(
        {},
        {"speaker_ids": [KARIM, SALMA, NADIA]},
        ["speakers"],
        "La session «~[Ouverture]~» accueille aussi [Salma Idrissi] et [Nadia El Ouafi].",
        "جلسة «[الافتتاح]» تُعقد بمشاركة [سلمى الإدريسي] و[نادية الوافي] أيضا.",
        "“[Opening]” has [Salma Idrissi] and [Nadia El Ouafi] as new speakers.",
    ),
    "a first speaker": Case(
        {"speaker_ids": []},
        {"speaker_ids": [SALMA]},
        ["speakers"],
        "La session «~[Ouverture]~» accueille [Salma Idrissi].",
        "جلسة «[الافتتاح]» تُعقد بمشاركة [سلمى الإدريسي].",
        "“[Opening]” has [Salma Idrissi] as its speaker.",
    ),
    "three first speakers": Case(
        {"speaker_ids": []},
        {"speaker_ids": [SALMA, NADIA, HICHAM]},
        ["speakers"],
        "La session «~[Ouverture]~» accueille [Salma Idrissi], [Nadia El Ouafi] et [Hicham Bouzerda].",
        "جلسة «[الافتتاح]» تُعقد بمشاركة [سلمى الإدريسي]، و[نادية الوافي]، و[هشام بوزردة].",
        "“[Opening]” has [Salma Idrissi], [Nadia El Ouafi] and [Hicham Bouzerda] as its speakers.",
    ),
    "another speaker": Case(
        {},
        {"speaker_ids": [SALMA]},
        ["speakers"],
        "La session «~[Ouverture]~» accueille [Salma Idrissi] à la place de [Karim Azelmad].",
        "جلسة «[الافتتاح]» تُعقد بمشاركة [سلمى الإدريسي] بدل [كريم أزلماض].",
        "“[Opening]” has [Salma Idrissi] as a new speaker in place of [Karim Azelmad].",
    ),
    "many other speakers": Case(
        {},
        {"speaker_ids": [SALMA, NADIA, HICHAM, IHSSANE]},
        ["speakers"],
        (
            "La session «~[Ouverture]~» accueille [Salma Idrissi], "
            "[Nadia El Ouafi] et d’autres à la place de [Karim Azelmad]."
        ),
        "جلسة «[الافتتاح]» تُعقد بمشاركة [سلمى الإدريسي]، و[نادية الوافي] وغيرهما بدل [كريم أزلماض].",
        ("“[Opening]” has [Salma Idrissi], [Nadia El Ouafi] and others as new speakers in place of [Karim Azelmad]."),
    ),
    "a speaker less": Case(
        {},
        {"speaker_ids": []},
        ["speakers"],
        "La session «~[Ouverture]~» se tient sans [Karim Azelmad].",
        "جلسة «[الافتتاح]» تُعقد دون مشاركة [كريم أزلماض].",
        "“[Opening]” goes ahead without [Karim Azelmad].",
    ),
    "speakers in another order": Case(
        {"speaker_ids": [KARIM, SALMA]},
        {"speaker_ids": [SALMA, KARIM]},
        ["details"],
        "Les détails de la session «~[Ouverture]~» ont changé.",
        "تغيرت تفاصيل جلسة «[الافتتاح]».",
        "“[Opening]” has new details.",
    ),
    "renamed": Case(
        {},
        {"title": {"fr": "Mot d’accueil", "ar": "كلمة الترحيب", "en": "Welcome"}},
        ["renamed"],
        "La session «~[Ouverture]~» s’intitule désormais «~[Mot d’accueil]~».",
        "جلسة «[الافتتاح]» صار عنوانها «[كلمة الترحيب]».",
        "“[Opening]” is now called “[Welcome]”.",
    ),
    "renamed in one language": Case(
        {},
        {"title": {"fr": "Mot d’accueil", "ar": "الافتتاح", "en": "Opening"}},
        ["renamed"],
        "La session «~[Ouverture]~» s’intitule désormais «~[Mot d’accueil]~».",
        "تغيرت تفاصيل جلسة «[الافتتاح]».",
        "“[Opening]” has new details.",
    ),
    "texts": Case(
        {},
        {"abstract": {"fr": "Un texte"}, "subtitle": {"fr": "Un autre"}},
        ["details"],
        "Les détails de la session «~[Ouverture]~» ont changé.",
        "تغيرت تفاصيل جلسة «[الافتتاح]».",
        "“[Opening]” has new details.",
    ),
    "track, kind, link": Case(
        {},
        {"track_id": UUID(int=41), "kind_id": UUID(int=42), "url": "https://example.org"},
        ["details"],
        "Les détails de la session «~[Ouverture]~» ont changé.",
        "تغيرت تفاصيل جلسة «[الافتتاح]».",
        "“[Opening]” has new details.",
    ),
    "moved, delayed, and another speaker": Case(
        {},
        {"status": "moved", "room_id": ATLAS, "starts_at": at("11:00"), "ends_at": at("12:00"), "speaker_ids": [SALMA]},
        ["moved", "delayed", "speakers"],
        (
            "La session «~[Ouverture]~» change de salle ([Salle Atlas]), commence désormais à "
            "11~h au lieu de 10~h et accueille [Salma Idrissi] à la place de [Karim Azelmad]."
        ),
        (
            "جلسة «[الافتتاح]» تنتقل إلى [قاعة الأطلس]، وتبدأ على الساعة 11:00 "
            "بدل الساعة 10:00، وتُعقد بمشاركة [سلمى الإدريسي] بدل [كريم أزلماض]."
        ),
        (
            "“[Opening]” moves to [Atlas Room], now starts at 11:00 instead of "
            "10:00 and has [Salma Idrissi] as a new speaker in place of [Karim Azelmad]."
        ),
    ),
    "moved and late": Case(
        {},
        {"room_id": ATLAS, "status": "delayed"},
        ["moved", "delayed"],
        "La session «~[Ouverture]~» change de salle ([Salle Atlas]) et est retardée.",
        "جلسة «[الافتتاح]» تنتقل إلى [قاعة الأطلس] وستتأخر عن موعدها.",
        "“[Opening]” moves to [Atlas Room] and is delayed.",
    ),
    "moved, with new texts": Case(
        {},
        {"room_id": ATLAS, "abstract": {"fr": "Un texte"}},
        ["moved", "details"],
        "La session «~[Ouverture]~» change de salle ([Salle Atlas]).",
        "جلسة «[الافتتاح]» تنتقل إلى [قاعة الأطلس].",
        "“[Opening]” moves to [Atlas Room].",
    ),
    "delayed, and shorter": Case(
        {},
        {"status": "delayed", "starts_at": at("10:30")},
        ["delayed", "shortened"],
        "La session «~[Ouverture]~» commence désormais à 10~h~30 au lieu de 10~h.",
        "جلسة «[الافتتاح]» تبدأ على الساعة 10:30 بدل الساعة 10:00.",
        "“[Opening]” now starts at 10:30 instead of 10:00.",
    ),
    "renamed, moved, extended, and one more speaker": Case(
        {},
        {
            "title": {"fr": "Accueil", "ar": "الترحيب", "en": "Welcome"},
            "room_id": ATLAS,
            "ends_at": at("12:00"),
            "speaker_ids": [KARIM, SALMA],
        },
        ["moved", "extended", "speakers", "renamed"],
        (
            "La session «~[Ouverture]~» s’intitule désormais «~[Accueil]~», change de salle ([Salle "
            "Atlas]), se termine désormais à 12~h au lieu de 11~h et accueille aussi [Salma Idrissi]."
        ),
        (
            "جلسة «[الافتتاح]» صار عنوانها «[الترحيب]»، وتنتقل إلى [قاعة الأطلس]، "
            "وتنتهي على الساعة 12:00 بدل الساعة 11:00، وتُعقد بمشاركة [سلمى الإدريسي] أيضا."
        ),
        (
            "“[Opening]” is now called “[Welcome]”, moves to [Atlas Room], now "
            "ends at 12:00 instead of 11:00 and has [Salma Idrissi] as a new speaker."
        ),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_change_is_told(case: Case) -> None:
    told = {language: plain(sentence) for language, sentence in tell(case.before, case.after).items()}
    assert told == {"fr": case.fr, "ar": case.ar, "en": case.en}
    old = replace(SESSION, **case.before)
    assert kinds_of(old, replace(old, **case.after)) == case.kinds


def test_a_language_that_we_do_not_speak_is_told_in_english() -> None:
    event = replace(EVENT, languages=["de", "fr-MA", "AR"], default_language="de")
    title = {"de": "Eröffnung", "fr-MA": "Ouverture", "ar": "الافتتاح"}
    told = tell({"title": title}, {"status": "cancelled"}, event)
    assert {language: plain(sentence) for language, sentence in told.items()} == {
        "de": "“[Eröffnung]” is cancelled.",
        "fr-MA": "La session «~[Ouverture]~» est annulée.",
        "AR": "أُلغيت جلسة «[Eröffnung]».",
    }


def test_a_title_that_nobody_has_translated_falls_back() -> None:
    """To the event's language, then to English, then to any, as everywhere else."""
    told = tell({"title": {"fr": "Ouverture"}}, {"status": "cancelled"})
    assert plain(told["ar"]) == "أُلغيت جلسة «[Ouverture]»."
    told = tell({"title": {"ar": "الافتتاح"}}, {"status": "cancelled"})
    assert plain(told["en"]) == "“[الافتتاح]” is cancelled."
    assert plain(told["fr"]) == "La session «~[الافتتاح]~» est annulée."


def test_times_are_those_of_the_event() -> None:
    night = {
        "starts_at": datetime(2020, 12, 18, 22, 30, tzinfo=UTC),
        "ends_at": datetime(2020, 12, 18, 23, 0, tzinfo=UTC),
    }
    later = {name: moment + timedelta(hours=1) for name, moment in night.items()}
    assert plain(tell(night, later)["fr"]).endswith("commence désormais samedi à 0~h~30 au lieu de vendredi à 23~h~30.")
    tokyo = replace(EVENT, timezone="Asia/Tokyo")
    assert plain(tell(night, later, tokyo)["en"]).endswith("now starts at 08:30 instead of 07:30.")


def test_a_shift_that_no_clock_shows_names_one_time() -> None:
    """Some seconds, or an hour that the clock goes through twice: `10:00 instead of 10:00` says nothing."""
    told = tell({}, {"starts_at": at("10:00") + timedelta(seconds=20)})
    assert plain(told["en"]) == "“[Opening]” starts at 10:00."
    assert plain(told["fr"]) == "La session «~[Ouverture]~» commence à 10~h."
    told = tell({}, {"ends_at": at("11:00") + timedelta(seconds=20)})
    assert plain(told["ar"]) == "جلسة «[الافتتاح]» تنتهي على الساعة 11:00."
    paris = replace(EVENT, timezone="Europe/Paris")
    first = datetime(2020, 10, 25, 0, 30, tzinfo=UTC)
    twice = {"starts_at": first, "ends_at": first + timedelta(minutes=30)}
    again = {name: moment + timedelta(hours=1) for name, moment in twice.items()}
    assert plain(tell(twice, again, paris)["en"]) == "“[Opening]” starts at 02:30."


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Données : à qui ?", "Données : à qui ?"),
        ("  spaces\u00a0: kept  ", "spaces~: kept"),
        ("two\r\n lines\u2028three", "two lines three"),
        ("\u202eevil\u2069 \u2066title\u202c", "evil title"),
        ("{clauses} {0} {title}", "{clauses} {0} {title}"),
        ("word " * 30, "word " * 15 + "word…"),
        ("x" * 100, "x" * 79 + "…"),
        ("x" * 80, "x" * 80),
    ],
)
def test_a_title_is_shown_on_one_line_and_reaches_no_further(title: str, shown: str) -> None:
    told = tell({"title": {"en": title}}, {"status": "cancelled"})
    assert plain(told["en"]) == f"“[{shown}]” is cancelled."
    assert len(shown) <= MAX_SHOWN
