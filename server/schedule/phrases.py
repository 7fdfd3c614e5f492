"""What a session's change is called in the languages that the server speaks. Only words, no rules: `sentences` chooses them.

French sets no-break spaces inside « » and before ; as its printers do, and writes 11 h 30. Arabic names the months as Morocco
does, with western digits, and speaks of speakers by a noun (بمشاركة), so that nobody's gender is guessed. In all three a place
or a person is put where neither an article nor an agreement depends on its name.
"""

from __future__ import annotations

from msgspec import Struct


class Phrases(Struct, frozen=True, kw_only=True):
    """One language. Words in braces are filled in: `{title}` comes in its quotation marks."""

    quoted: str
    added: str
    """With its time, and behind that the room if it has one."""
    removed: str
    cancelled: str
    still_cancelled: str
    details: str
    sentence: str
    """Of clauses: what follows are those, in the order in which they may stand."""
    renamed: str
    reinstated: str
    moved: str
    placed: str
    """It had no room before."""
    unplaced: str
    restarts: str
    starts: str
    late: str
    """Nobody knows by how much."""
    reends: str
    ends: str
    joined: tuple[str, str]
    """One who joins others, and several."""
    first: tuple[str, str]
    """The session had no speakers before."""
    replaced: tuple[str, str]
    left: str
    pair: str
    """Between two of a list …"""
    comma: str
    last: str
    """… and in a longer one before the last."""
    others: str
    """After two names of more than three."""
    clock: str
    full_hour: str
    new_times: tuple[str, str, str]
    """The time alone, with its day of the week, with its date."""
    old_times: tuple[str, str, str]
    """The same behind `instead of`."""
    days: tuple[str, str, str, str, str, str, str]
    """From Monday on."""
    months: tuple[str, ...]
    first_of_month: str


ENGLISH = Phrases(
    quoted="“{text}”",
    added="New in the programme: {title}, {when}{where}.",
    removed="{title} is no longer in the programme.",
    cancelled="{title} is cancelled.",
    still_cancelled="{title} is still cancelled; its details have changed.",
    details="{title} has new details.",
    sentence="{title} {clauses}.",
    renamed="is now called {title}",
    reinstated="takes place after all",
    moved="moves to {room}",
    placed="takes place in {room}",
    unplaced="no longer has a room",
    restarts="now starts {new} instead of {old}",
    starts="starts {new}",
    late="is delayed",
    reends="now ends {new} instead of {old}",
    ends="ends {new}",
    joined=("has {new} as a new speaker", "has {new} as new speakers"),
    first=("has {new} as its speaker", "has {new} as its speakers"),
    replaced=("has {new} as a new speaker in place of {old}", "has {new} as new speakers in place of {old}"),
    left="goes ahead without {old}",
    pair=" and ",
    comma=", ",
    last=" and ",
    others=" and others",
    clock="{hour:02}:{minute:02}",
    full_hour="{hour:02}:00",
    new_times=("at {time}", "on {day} at {time}", "on {day} {date} at {time}"),
    old_times=("{time}", "{day} at {time}", "{day} {date} at {time}"),
    days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    first_of_month="1",
)  # fmt: skip

FRENCH = Phrases(
    quoted="«\u00a0{text}\u00a0»",
    added="Nouveau au programme\u00a0: {title}, {when}{where}.",
    removed="La session {title} ne figure plus au programme.",
    cancelled="La session {title} est annulée.",
    still_cancelled="La session {title} reste annulée\u00a0; ses détails ont changé.",
    details="Les détails de la session {title} ont changé.",
    sentence="La session {title} {clauses}.",
    renamed="s’intitule désormais {title}",
    reinstated="a finalement lieu",
    moved="change de salle ({room})",
    placed="a désormais une salle ({room})",
    unplaced="n’a plus de salle attribuée",
    restarts="commence désormais {new} au lieu {old}",
    starts="commence {new}",
    late="est retardée",
    reends="se termine désormais {new} au lieu {old}",
    ends="se termine {new}",
    joined=("accueille aussi {new}",) * 2,
    first=("accueille {new}",) * 2,
    replaced=("accueille {new} à la place de {old}",) * 2,
    left="se tient sans {old}",
    pair=" et ",
    comma=", ",
    last=" et ",
    others=" et d’autres",
    clock="{hour}\u00a0h\u00a0{minute:02}",
    full_hour="{hour}\u00a0h",
    new_times=("à {time}", "{day} à {time}", "le {day} {date} à {time}"),
    old_times=("de {time}", "de {day} à {time}", "du {day} {date} à {time}"),
    days=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    months=(
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    first_of_month="1er",
)  # fmt: skip

ARABIC = Phrases(
    quoted="«{text}»",
    added="جديد في البرنامج: جلسة {title}، {when}{where}.",
    removed="لم تعد جلسة {title} في البرنامج.",
    cancelled="أُلغيت جلسة {title}.",
    still_cancelled="جلسة {title} ما زالت ملغاة، وتغيرت تفاصيلها.",
    details="تغيرت تفاصيل جلسة {title}.",
    sentence="جلسة {title} {clauses}.",
    renamed="صار عنوانها {title}",
    reinstated="لم تعد ملغاة",
    moved="تنتقل إلى {room}",
    placed="تُعقد في {room}",
    unplaced="لم تعد لها قاعة محددة",
    restarts="تبدأ {new} بدل {old}",
    starts="تبدأ {new}",
    late="ستتأخر عن موعدها",
    reends="تنتهي {new} بدل {old}",
    ends="تنتهي {new}",
    joined=("تُعقد بمشاركة {new} أيضا",) * 2,
    first=("تُعقد بمشاركة {new}",) * 2,
    replaced=("تُعقد بمشاركة {new} بدل {old}",) * 2,
    left="تُعقد دون مشاركة {old}",
    pair=" و",
    comma="، و",
    last="، و",
    others=" وغيرهما",
    clock="{hour:02}:{minute:02}",
    full_hour="{hour:02}:00",
    new_times=("على الساعة {time}", "يوم {day} على الساعة {time}", "يوم {day} {date} على الساعة {time}"),
    old_times=("الساعة {time}", "يوم {day} على الساعة {time}", "يوم {day} {date} على الساعة {time}"),
    days=("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),
    months=(
        "يناير", "فبراير", "مارس", "أبريل", "ماي", "يونيو",
        "يوليوز", "غشت", "شتنبر", "أكتوبر", "نونبر", "دجنبر",
    ),
    first_of_month="1",
)  # fmt: skip

SPOKEN = {"en": ENGLISH, "fr": FRENCH, "ar": ARABIC}
"""By primary language tag."""
