"""The words of the template in English, French and Arabic: names of sheets, heads of columns, states, roles, languages.

Compared without capitals, accents, vowel marks and punctuation, so `Début`, `DEBUT` and `début :` are one word.
"""

from __future__ import annotations

import re
import unicodedata

from server.interchange.programme import LinkKind, Status

_LETTERS = str.maketrans(
    {"ٱ": "ا", "ی": "ي", "ک": "ك", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ء": "", "ـ": "", "œ": "oe", "’": "'"}
)
"""Letters that people interchange, as the search of the app levels them."""


def spoken(written: str) -> str:
    """A word or name as it is compared; digits of every script are ASCII. Empty for punctuation alone."""
    decomposed = unicodedata.normalize("NFKD", written).casefold()
    bare = "".join(mark for mark in decomposed if unicodedata.category(mark) != "Mn")
    return " ".join(re.findall(r"[^\W_]+", ascii_digits(bare.translate(_LETTERS))))


def ascii_digits(written: str) -> str:
    return "".join(str(unicodedata.decimal(mark)) if mark.isdecimal() else mark for mark in written)


def _by_word(words: dict[str, str]) -> dict[str, str]:
    return {spoken(word): name for name, several in words.items() for word in (name, *several.split("|"))}


SHEETS = _by_word(
    {
        "sessions": "session|programme|program|schedule|agenda|talks|الجلسات|البرنامج",
        "speakers": "speaker|intervenants|orateurs|conférenciers|المتحدثون|المتحدثين",
        "rooms": "room|salles|lieux|القاعات",
        "tracks": "track|themes|thématiques|parcours|المسارات|المحاور",
        "kinds": "types|formats|session types|types de session|الأنواع|أنواع الجلسات",
        "days": "jours|journées|الأيام",
        "about": "event|conference|événement|à propos|infos|الفعالية|المؤتمر|حول",
        "guide": "help|explanations|mode d'emploi|explications|دليل|شرح",
    }
)

_EXTRA = {"extra": "autres champs|حقول أخرى"}
_ID = {"id": "identifier|key|guid|uuid|identifiant|المعرف|معرف"}
_NAME = {"name": "title|full name|nom|nom complet|الاسم|اسم|الاسم الكامل"}
_DESCRIPTION = {"description": "details|détails|الوصف|وصف|التفاصيل"}
_LINKS = {"links": "link|websites|liens|lien|sites|الروابط|روابط"}

SESSION_FIELDS = _by_word(
    {
        **_ID,
        **_DESCRIPTION,
        **_LINKS,
        **_EXTRA,
        "number": "no|nr|n°|session number|numéro|num|رقم|الرقم|رقم الجلسة",
        "title": "session title|session|talk|name|titre|titre de la session|intitulé|العنوان|عنوان|عنوان الجلسة|الجلسة",
        "subtitle": "sous-titre|العنوان الفرعي|عنوان فرعي",
        "abstract": "summary|résumé|chapô|الملخص|ملخص",
        "date": "day|start date|jour|date de début|التاريخ|تاريخ|اليوم|يوم|تاريخ البداية",
        "start": "starts at|start time|starts|begin|begins|from|time|début|heure de début|heure|horaire|horaires|de|"
        "البداية|بداية|وقت البداية|الوقت|الساعة|من",
        "end": "ends at|end time|ends|to|until|fin|heure de fin|à|jusqu'à|النهاية|نهاية|وقت النهاية|إلى",
        "end_date": "date de fin|تاريخ النهاية",
        "duration": "length|minutes|durée|المدة|مدة",
        "room": "room name|location|venue|hall|salle|lieu|القاعة|قاعة|المكان",
        "room_id": "room key",
        "track": "theme|thème|thématique|parcours|filière|axe|المسار|مسار|المحور",
        "track_id": "track key",
        "kind": "type|session type|format|session format|type de session|النوع|نوع|نوع الجلسة",
        "kind_id": "type id|kind key",
        "speakers": "speaker|speaker(s)|speaker names|presenters|presenter|intervenants|intervenant|intervenant(s)|"
        "intervenant(e)s|orateurs|orateur|conférenciers|المتحدثون|المتحدثين|المتحدث|متحدثون",
        "speaker_ids": "speaker id|speakers ids|speaker keys",
        "languages": "language|spoken language|langue|langues|اللغة|اللغات|لغة",
        "service": "break|service session|service de pause|pause|استراحة",
        "url": "web page|page|page web|adresse web|صفحة الويب|الصفحة",
        "logo_url": "logo|image|الشعار|صورة",
        "license": "licence|recording license|الرخصة",
        "do_not_record": "no recording|not recorded|ne pas enregistrer|sans enregistrement|عدم التسجيل|بدون تسجيل",
        "status": "state|statut|état|الحالة|حالة",
        "timezone": "time zone|fuseau horaire|fuseau|المنطقة الزمنية",
    }
)
SPEAKER_FIELDS = _by_word(
    {
        **_ID,
        **_NAME,
        **_LINKS,
        **_EXTRA,
        "first_name": "prénom|given name|الاسم الأول|الاسم الشخصي",
        "last_name": "surname|family name|nom de famille|اللقب|الاسم العائلي",
        "organisation": "organization|company|affiliation|société|entreprise|organisme|المؤسسة|الشركة|المنظمة|الجهة",
        "tagline": "headline|job title|position|role|poste|fonction|titre|المنصب|الصفة|الوظيفة",
        "bio": "biography|biographie|السيرة|نبذة|السيرة الذاتية",
        "photo_url": "photo|picture|image|portrait|الصورة|صورة",
    }
)
ROOM_FIELDS = _by_word(
    {
        **_ID,
        "name": f"{_NAME['name']}|room|salle|القاعة|قاعة",
        **_DESCRIPTION,
        **_EXTRA,
        "capacity": "seats|capacité|places|السعة|المقاعد",
        "floor": "level|étage|niveau|الطابق|طابق",
    }
)
TRACK_FIELDS = _by_word(
    {
        **_ID,
        "name": f"{_NAME['name']}|track|theme|thème|thématique|المسار|مسار|المحور",
        **_DESCRIPTION,
        **_EXTRA,
        "color": "colour|couleur|اللون|لون",
    }
)
KIND_FIELDS = _by_word({**_ID, "name": f"{_NAME['name']}|kind|type|format|النوع|نوع"})
DAY_FIELDS = _by_word(
    {
        **_ID,
        "date": "day|jour|التاريخ|تاريخ|اليوم",
        "name": "title|nom|titre|الاسم|العنوان",
        "starts_at": "start|opens|doors open|début|ouverture|البداية|الافتتاح",
        "ends_at": "end|closes|fin|fermeture|النهاية|الإغلاق",
    }
)
ABOUT_FIELDS = _by_word(
    {
        "title": "name|event|titre|nom|العنوان|الاسم|اسم الفعالية",
        "timezone": "time zone|fuseau horaire|fuseau|المنطقة الزمنية",
        "day_begins": "day change|début de journée|بداية اليوم",
        "version": "الإصدار|النسخة",
        **_EXTRA,
    }
)

IN_LANGUAGES = frozenset(
    {
        "title",
        "subtitle",
        "abstract",
        "description",
        "room",
        "track",
        "kind",
        "speakers",
        "name",
        "organisation",
        "tagline",
        "bio",
    }
)
"""Fields that have a column for each language."""

LANGUAGES = _by_word(
    {
        "fr": "French|français|française|الفرنسية|بالفرنسية|فرنسي",
        "ar": "Arabic|arabe|العربية|بالعربية|عربي",
        "en": "English|anglais|anglaise|الإنجليزية|بالإنجليزية|إنجليزي",
        "es": "Spanish|espagnol|español|الإسبانية|بالإسبانية",
        "zgh": "Tamazight|Amazigh|amazighe|الأمازيغية|بالأمازيغية",
        "de": "German|allemand|Deutsch|الألمانية",
    }
)
OF_LANGUAGE = {"en", "in", "langue", "version"}
"""What stands before the language at the head of a column: `titre en français`."""

_STATES: tuple[tuple[Status | None, str], ...] = (
    (
        "scheduled",
        "scheduled|confirmed|accepted|planned|published|prévu|prévue|confirmé|confirmée|accepté|acceptée|مؤكد|مؤكدة|مقرر|مجدولة",
    ),
    ("moved", "moved|déplacé|déplacée|منقول|منقولة|تم النقل"),
    ("delayed", "delayed|postponed|retardé|retardée|reporté|reportée|مؤجل|مؤجلة|متأخر|متأخرة"),
    ("cancelled", "cancelled|canceled|annulé|annulée|ملغى|ملغاة|ملغي|ألغيت"),
    (
        None,
        "draft|submitted|rejected|withdrawn|deleted|brouillon|soumis|soumise|refusé|refusée|retiré|retirée|supprimé|مسودة|مرفوض",
    ),
)
STATES = {spoken(word): state for state, words in _STATES for word in words.split("|")}
"""None for states that are not for the public."""

ROLES = _by_word(
    {
        "speaker": "intervenant|intervenante|orateur|oratrice|conférencier|conférencière|متحدث|متحدثة",
        "moderator": "modérateur|modératrice|chair|مدير الجلسة|مديرة الجلسة|ميسر|ميسرة|منسق",
        "panelist": "panellist|paneliste|panéliste|مشارك|مشاركة|محاور",
        "host": "animateur|animatrice|hôte|مقدم|مقدمة|مضيف",
    }
)

LINK_KINDS: dict[str, LinkKind] = {
    "link": "link",
    "file": "file",
    "stream": "stream",
    "recording": "recording",
    "feedback": "feedback",
}

YES = frozenset({"yes", "y", "true", "1", "x", "oui", "o", "vrai", spoken("نعم"), spoken("صحيح"), "✓", "✔"})
NO = frozenset({"no", "n", "false", "0", "non", "faux", spoken("لا")})

_MONTHS = (
    "january|jan|janvier|janv|يناير|كانون الثاني",
    "february|feb|février|févr|fév|فبراير|شباط",
    "march|mar|mars|مارس|آذار",
    "april|apr|avril|avr|أبريل|إبريل|نيسان",
    "may|mai|مايو|ماي|أيار",
    "june|jun|juin|يونيو|حزيران",
    "july|jul|juillet|juil|يوليو|يوليوز|تموز",
    "august|aug|août|أغسطس|غشت|آب",
    "september|sep|sept|septembre|سبتمبر|شتنبر|أيلول",
    "october|oct|octobre|أكتوبر|تشرين الأول",
    "november|nov|novembre|نوفمبر|نونبر|تشرين الثاني",
    "december|dec|décembre|déc|ديسمبر|دجنبر|كانون الأول",
)
MONTHS = {spoken(word): number for number, words in enumerate(_MONTHS, start=1) for word in words.split("|")}
