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


def fold(text: str) -> str:
    """The text with everything levelled that a search should not depend on."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(character for character in decomposed if unicodedata.category(character) != "Mn")
    ascii_digits = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character for character in bare
    )
    return ascii_digits.translate(_LETTERS)


def words_of(text: str) -> list[str]:
    """The folded words of a text, each once, in their order; what is beyond `MAX_WORDS` is left out."""
    words = (word[:MAX_WORD_LENGTH] for word in _WORD.findall(fold(text)))
    return list(dict.fromkeys(words))[:MAX_WORDS]


def end_of(beginning: str) -> str:
    """A text that comes behind all that begin so and before everything else, by code points."""
    return beginning + "\U0010ffff"
