"""Words as people search for them: without accents and vowel marks, with one form for letters that people interchange.

French: é, è, ê are e, œ is oe. Arabic: every alef is ا, ta marbuta is ه, alef maqsura is ي, a hamza's seat stands without its
hamza, tatweel and tashkeel are left out; the Persian keyboard's ya and kaf are the Arabic ones. Digits of any script are ASCII.
"""

from __future__ import annotations

import re
import unicodedata

MAX_WORDS = 12
MAX_WORD_LENGTH = 40

_LETTERS = str.maketrans(
    {
        "ٱ": "ا",
        "ی": "ي",
        "ک": "ك",
        "ى": "ي",
        "ة": "ه",
        "ؤ": "و",
        "ئ": "ي",
        "ء": "",
        "ـ": "",
        "œ": "oe",
        "æ": "ae",
        "ß": "ss",
        "ı": "i",
    }
)
_WORD = re.compile(r"[^\W_]+")


class _Levelled(dict[int, str]):
    """What each character becomes, looked up once: long texts are folded too, and Unicode's own tables are slow."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if unicodedata.category(character) == "Mn":
            levelled = ""
        elif character.isdecimal():
            levelled = str(unicodedata.decimal(character))
        else:
            levelled = character.translate(_LETTERS)
        if len(self) < _REMEMBERED:
            self[code] = levelled
        return levelled


_REMEMBERED = 5000
"""More characters than any event's texts are written in; not all that a stranger may send."""
_LEVELLED = _Levelled()


def fold(text: str) -> str:
    """The text with everything levelled that a search should not depend on."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).casefold().translate(_LEVELLED)


def all_words_of(text: str) -> list[str]:
    """The folded words of a text in their order, each as often as it comes."""
    return [word[:MAX_WORD_LENGTH] for word in _WORD.findall(fold(text))]


def words_of(text: str) -> list[str]:
    """The folded words of a text, each once, in their order; what is beyond `MAX_WORDS` is left out."""
    return list(dict.fromkeys(all_words_of(text)))[:MAX_WORDS]


def end_of(beginning: str) -> str:
    """A text that comes behind all that begin so and before everything else, by code points."""
    return beginning + "\U0010ffff"
