"""What the template's explanations say, in English, French and Arabic."""

from __future__ import annotations

from typing import NamedTuple

from server.interchange.programme import Texts


class Line(NamedTuple):
    """One column of one sheet."""

    sheet: str
    column: str
    what: Texts


NAMES: Texts = {"en": "Guide", "fr": "Mode d'emploi", "ar": "دليل"}
HEADS: dict[str, tuple[str, str, str]] = {
    "en": ("Sheet", "Column", "What to write"),
    "fr": ("Feuille", "Colonne", "Ce qu'on y écrit"),
    "ar": ("الورقة", "العمود", "ما يُكتب فيه"),
}

LINES = (
    Line(
        "*",
        "*",
        {
            "en": "Only the sheet `sessions` is needed: a title, a date, a start and an end. Columns may be left out, "
            "added and put in another order; their heads may be in English, French or Arabic. The rows with the "
            "id `example` are not imported. Import the same file again after changes: sessions are known by their"
            " id.",
            "fr": "Seule la feuille `sessions` est nécessaire : un titre, une date, un début et une fin. On peut "
            "supprimer, ajouter et déplacer des colonnes ; leurs titres peuvent être en français, en arabe ou en "
            "anglais. Les lignes dont l'id est `example` ne sont pas importées. Après des changements, importez "
            "de nouveau le même fichier : chaque session se reconnaît à son id.",
            "ar": "ورقة `sessions` وحدها ضرورية: عنوان وتاريخ وبداية ونهاية. يمكن حذف الأعمدة وإضافتها وتغيير ترتيبها، "
            "ويمكن أن تكون عناوينها بالعربية أو الفرنسية أو الإنجليزية. الأسطر التي معرّفها `example` لا تُستورد."
            " بعد كل تعديل أعد استيراد الملف نفسه: تُعرف كل جلسة بمعرّفها.",
        },
    ),
    Line(
        "*",
        "…_fr, …_ar, …_en",
        {
            "en": "The text in one language: `title_fr`, `title_ar`. Any other language works the same way; `title` "
            "alone is a text whose language does not matter.",
            "fr": "Le texte dans une langue : `title_fr`, `title_ar`. Toute autre langue s'ajoute de la même façon ; "
            "`title` seul convient quand la langue n'importe pas.",
            "ar": "النص بلغة واحدة: `title_fr` و`title_ar`. تضاف أي لغة أخرى بالطريقة نفسها، و`title` وحده لنص لا تهم "
            "لغته.",
        },
    ),
    Line(
        "sessions",
        "id",
        {
            "en": "Anything that stays the same for this session, such as S1, S2. Without it a session that moves "
            "counts as new.",
            "fr": "Un nom qui ne change jamais, par exemple S1, S2. Sans lui, une session déplacée compte comme "
            "nouvelle.",
            "ar": "أي رمز لا يتغير لهذه الجلسة مثل S1 وS2. بدونه تُعد الجلسة المنقولة جلسة جديدة.",
        },
    ),
    Line(
        "sessions",
        "date, start, end",
        {
            "en": "2026-12-18 or 18/12/2026; 10:30 or 10h30. Instead of the end, `duration` in minutes. An end after "
            "midnight is taken as the next day's. Times are those of the event's time zone.",
            "fr": "2026-12-18 ou 18/12/2026 ; 10:30 ou 10h30. À la place de la fin, `duration` en minutes. Une fin "
            "après minuit est celle du lendemain. Les heures sont celles du fuseau de l'événement.",
            "ar": "2026-12-18 أو 18/12/2026، و10:30 أو 10h30. بدل النهاية يمكن كتابة المدة بالدقائق في `duration`. "
            "النهاية بعد منتصف الليل تُحسب لليوم التالي. الأوقات بتوقيت الفعالية.",
        },
    ),
    Line(
        "sessions",
        "room, track, kind",
        {
            "en": "A name or an id of the sheets `rooms`, `tracks` and `kinds`; a new name is added to them.",
            "fr": "Un nom ou un id des feuilles `rooms`, `tracks` et `kinds` ; un nouveau nom y est ajouté.",
            "ar": "اسم أو معرّف من أوراق `rooms` و`tracks` و`kinds`، ويضاف إليها كل اسم جديد.",
        },
    ),
    Line(
        "sessions",
        "speakers",
        {
            "en": "Names or ids of the sheet `speakers`, separated by ; and the role in brackets: Salma Idrissi; Omar "
            "B. (moderator)",
            "fr": "Noms ou id de la feuille `speakers`, séparés par ; le rôle entre parenthèses : Salma Idrissi; Omar "
            "B. (modérateur)",
            "ar": "أسماء أو معرّفات من ورقة `speakers` تفصل بينها ; والدور بين قوسين: Salma Idrissi; Omar B. "
            "(moderator)",
        },
    ),
    Line(
        "sessions",
        "languages",
        {
            "en": "What is spoken on stage, the main language first: fr, ar",
            "fr": "Les langues parlées sur scène, la principale en premier : fr, ar",
            "ar": "اللغات المستعملة على المنصة، الأساسية أولاً: fr, ar",
        },
    ),
    Line(
        "sessions",
        "status",
        {
            "en": "Empty or scheduled; moved, delayed, cancelled. A row with the status draft is not imported.",
            "fr": "Vide ou scheduled (prévue) ; moved (déplacée), delayed (retardée), cancelled (annulée). Une ligne "
            "`brouillon` n'est pas importée.",
            "ar": "فارغ أو scheduled (مقررة)، أو moved (منقولة) أو delayed (مؤجلة) أو cancelled (ملغاة). السطر الذي "
            "حالته «مسودة» لا يُستورد.",
        },
    ),
    Line(
        "sessions",
        "service",
        {
            "en": "yes for breaks, meals and the registration",
            "fr": "oui pour les pauses, les repas et l'accueil",
            "ar": "نعم للاستراحات والوجبات والتسجيل",
        },
    ),
    Line(
        "sessions, speakers",
        "links",
        {
            "en": "One a line: https://… | recording | fr: Le film. The word between says what it is: file, stream, "
            "recording or feedback; it and the title may be left out.",
            "fr": "Un par ligne : https://… | recording | fr: Le film. Le mot du milieu dit ce que c'est : file "
            "(fichier), stream (direct), recording (enregistrement) ou feedback (avis) ; lui et le titre sont "
            "facultatifs.",
            "ar": "رابط في كل سطر: https://… | recording | fr: Le film. الكلمة الوسطى تبين نوعه: file (ملف) أو stream "
            "(بث مباشر) أو recording (تسجيل) أو feedback (رأي)، وهي والعنوان اختياريان.",
        },
    ),
    Line(
        "speakers",
        "name, organisation, tagline, bio, photo_url",
        {
            "en": "The name as the programme shows it, where they work, what they are in a line, who they are, the "
            "address of a photo",
            "fr": "Le nom tel qu'au programme, l'organisme, la fonction en une ligne, la biographie, l'adresse d'une "
            "photo",
            "ar": "الاسم كما يظهر في البرنامج، والمؤسسة، والصفة في سطر، والسيرة، وعنوان صورة على الويب",
        },
    ),
    Line(
        "rooms",
        "capacity, floor",
        {
            "en": "Seats as a number; the floor as it is signed",
            "fr": "Nombre de places ; l'étage tel qu'affiché",
            "ar": "عدد المقاعد، والطابق كما هو مكتوب",
        },
    ),
    Line(
        "tracks",
        "color",
        {
            "en": "As on web pages: #0a66ff",
            "fr": "Comme sur le web : #0a66ff",
            "ar": "كما في صفحات الويب: #0a66ff",
        },
    ),
    Line(
        "days",
        "date, name, starts_at, ends_at",
        {
            "en": "Only if a day has a name, or doors that open and close: 18/12/2026, Day 1, 08:00, 19:00",
            "fr": "Seulement si un jour a un nom, ou des heures d'ouverture : 18/12/2026, Jour 1, 08:00, 19:00",
            "ar": "فقط إذا كان لليوم اسم أو ساعات فتح: 18/12/2026، اليوم الأول، 08:00، 19:00",
        },
    ),
    Line(
        "about",
        "title, timezone, day_begins, version",
        {
            "en": "The event's title; its time zone, such as Africa/Casablanca; the time at which a day begins (00:00);"
            " a name of this state of the programme",
            "fr": "Le titre de l'événement ; son fuseau, par exemple Africa/Casablanca ; l'heure à laquelle un jour "
            "commence (00:00) ; le nom de cette version du programme",
            "ar": "عنوان الفعالية، ومنطقتها الزمنية مثل Africa/Casablanca، والساعة التي يبدأ فيها اليوم (00:00)، واسم "
            "هذه النسخة من البرنامج",
        },
    ),
)

EXAMPLES: dict[str, Texts] = {
    "title": {"en": "Opening", "fr": "Ouverture", "ar": "الافتتاح"},
    "abstract": {"en": "What the two days are about.", "fr": "Le sujet des deux journées.", "ar": "موضوع اليومين."},
    "room": {"en": "Auditorium", "fr": "Auditorium", "ar": "القاعة الكبرى"},
    "track": {"en": "Digital services", "fr": "Services numériques", "ar": "الخدمات الرقمية"},
    "kind": {"en": "Keynote", "fr": "Plénière", "ar": "جلسة عامة"},
    "speaker": {"en": "Salma Idrissi", "fr": "Salma Idrissi", "ar": "سلمى الإدريسي"},
    "organisation": {"en": "Example Agency", "fr": "Agence Exemple", "ar": "وكالة المثال"},
    "tagline": {"en": "Technical director", "fr": "Directrice technique", "ar": "مديرة تقنية"},
    "day": {"en": "Day 1", "fr": "Jour 1", "ar": "اليوم الأول"},
}
"""What stands in the example rows."""
