"""A session's change as the sentence that a phone shows, in each of an event's languages. Pure.

One sentence with what matters: that it is cancelled, or else where, when and with whom it is now. Whatever is put into it may be
written from the other side (a French title in an Arabic sentence, where nobody has translated it): it stands between Unicode's
isolates (UAX #9 §2.4), so that its words and ours keep their order on every screen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from server.event.types import EventRow
from server.schedule.phrases import ENGLISH, SPOKEN, Phrases
from server.schedule.policy import Names, kinds_of
from server.schedule.rows import SessionRow
from server.texts import Texts, pick

MAX_SHOWN = 80
"""Characters of a title or a name: a phone shows some 150 of the sentence, and what happened stands behind the title."""
MOST_NAMES = 3

_ISOLATE, _END = "\u2068", "\u2069"
# Its own controls would reach beyond it or end the isolate, as a line's end would.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LINE_ENDS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]*[\x00-\x1f\x7f-\x9f\u2028\u2029][\s\x00-\x1f\x7f-\x9f]*")


class _Voice(Struct, frozen=True):
    """A language that is spoken to somebody."""

    language: str
    default: str
    zone: ZoneInfo
    words: Phrases

    def shown(self, texts: Texts) -> str:
        """The text in this language, or in the one that `texts.pick` falls back to, on one line and not too long."""
        text = str(pick(texts, self.language, self.default))
        line = _LINE_ENDS.sub(" ", _DIRECTIONS.sub("", text)).strip()
        if len(line) > MAX_SHOWN:
            start, _, _ = line[:MAX_SHOWN].rpartition(" ")
            line = (start or line[: MAX_SHOWN - 1]).rstrip() + "…"
        return f"{_ISOLATE}{line}{_END}"

    def quoted(self, texts: Texts) -> str:
        return self.words.quoted.format(text=self.shown(texts))

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)


def sentences(old: SessionRow | None, new: SessionRow | None, names: Names, event: EventRow) -> Texts:
    """What happened between two states of a session, in each language of the event: English in one that we do not speak. None: it
    was not there before, or it no longer is; one of the two is.

    `names` knows every room and speaker that either state refers to.
    """
    zone = ZoneInfo(event.timezone)
    return {
        language: _sentence(old, new, names, _Voice(language, event.default_language, zone, _words_of(language)))
        for language in event.languages
    }


def _words_of(language: str) -> Phrases:
    return SPOKEN.get(language.lower().partition("-")[0], ENGLISH)


def _sentence(old: SessionRow | None, new: SessionRow | None, names: Names, voice: _Voice) -> str:
    words = voice.words
    if old is None:
        return "" if new is None else _added(new, names, voice)
    if new is None:
        return words.removed.format(title=voice.quoted(old.title))
    title = voice.quoted(old.title)  # people know it by that
    if new.status == "cancelled":
        return (words.still_cancelled if old.status == "cancelled" else words.cancelled).format(title=title)
    clauses = [
        *_renamed(old, new, voice),
        *([words.reinstated] if old.status == "cancelled" else []),
        *_place(old, new, names, voice),
        *_time(old, new, voice),
        *_speakers(old, new, names, voice),
    ]
    if not clauses:
        return words.details.format(title=title)
    return words.sentence.format(title=title, clauses=_listed(clauses, words))


def _added(new: SessionRow, names: Names, voice: _Voice) -> str:
    """With its date, because whoever hears of it has not been waiting for it."""
    words = voice.words
    when = _when(voice.local(new.starts_at), words.new_times[2], words)
    where = f" ({voice.shown(names.rooms[new.room_id])})" if new.room_id else ""
    return words.added.format(title=voice.quoted(new.title), when=when, where=where)


def _renamed(old: SessionRow, new: SessionRow, voice: _Voice) -> list[str]:
    """Nothing where only other languages have another title."""
    if voice.shown(old.title) == voice.shown(new.title):
        return []
    return [voice.words.renamed.format(title=voice.quoted(new.title))]


def _place(old: SessionRow, new: SessionRow, names: Names, voice: _Voice) -> list[str]:
    if new.room_id == old.room_id:
        return []
    if new.room_id is None:
        return [voice.words.unplaced]
    phrase = voice.words.placed if old.room_id is None else voice.words.moved
    return [phrase.format(room=voice.shown(names.rooms[new.room_id]))]


def _time(old: SessionRow, new: SessionRow, voice: _Voice) -> list[str]:
    """The start; the end only where the start has stayed."""
    words, kinds = voice.words, kinds_of(old, new)
    if new.starts_at != old.starts_at:
        return [_shift(old.starts_at, new.starts_at, voice, words.restarts, words.starts)]
    if "delayed" in kinds:
        return [words.late]
    if "reinstated" in kinds or "on_schedule" in kinds:
        return [words.starts.format(new=_when(voice.local(new.starts_at), words.new_times[0], words))]
    if new.ends_at != old.ends_at:
        return [_shift(old.ends_at, new.ends_at, voice, words.reends, words.ends)]
    return []


def _shift(old: datetime, new: datetime, voice: _Voice, changed: str, same: str) -> str:
    """`changed` with both times; `same` with one where seconds, or a clock that was put back, make them look alike."""
    before, after = voice.local(old), voice.local(new)
    detail = _detail(before.date(), after.date())
    year = before.year != after.year
    then = _when(after, voice.words.new_times[detail], voice.words, year=year)
    if (before.date(), before.hour, before.minute) == (after.date(), after.hour, after.minute):
        return same.format(new=then)
    return changed.format(new=then, old=_when(before, voice.words.old_times[detail], voice.words, year=year))


def _detail(before: date, after: date) -> int:
    """0: the hour will do. 1: the day of the week too. 2: that could be one of two, so the date."""
    if before == after:
        return 0
    return 1 if abs((after - before).days) < len(ENGLISH.days) else 2


def _when(local: datetime, pattern: str, words: Phrases, *, year: bool = False) -> str:
    clock = words.clock if local.minute else words.full_hour
    number = words.first_of_month if local.day == 1 else str(local.day)
    day_of_month = f"{number}\u00a0{words.months[local.month - 1]}"
    return pattern.format(
        time=clock.format(hour=local.hour, minute=local.minute),
        day=words.days[local.weekday()],
        date=f"{day_of_month} {local.year}" if year else day_of_month,
    )


def _speakers(old: SessionRow, new: SessionRow, names: Names, voice: _Voice) -> list[str]:
    """Nothing where they only stand in another order."""
    words = voice.words
    come = [speaker for speaker in new.speaker_ids if speaker not in old.speaker_ids]
    gone = [speaker for speaker in old.speaker_ids if speaker not in new.speaker_ids]
    if not come and not gone:
        return []
    if not come:
        return [words.left.format(old=_people(gone, names, voice))]
    phrase = (words.replaced if gone else words.joined if old.speaker_ids else words.first)[len(come) > 1]
    return [phrase.format(new=_people(come, names, voice), old=_people(gone, names, voice))]


def _people(speaker_ids: Sequence[UUID], names: Names, voice: _Voice) -> str:
    shown = [voice.shown(names.speakers[speaker_id]) for speaker_id in speaker_ids]
    if len(shown) > MOST_NAMES:
        return voice.words.comma.join(shown[: MOST_NAMES - 1]) + voice.words.others
    return _listed(shown, voice.words)


def _listed(items: Sequence[str], words: Phrases) -> str:
    if len(items) <= 2:
        return words.pair.join(items)
    return words.comma.join(items[:-1]) + words.last + items[-1]
