"""Arabic as PDF files hold it, put back into letters.

A PDF stores the shape each letter takes in its word (Unicode's Arabic Presentation Forms A and B). Copied from there, a text
looks right and is found by no search: its letters are other characters than those a keyboard writes.
"""

from __future__ import annotations

import re
import unicodedata

_FORMS = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")


def plain_letters(written: str) -> str:
    """The same text in letters; all that is no presentation form stays as it is, ligatures of other scripts too."""
    return _FORMS.sub(_letters, written)


def _letters(found: re.Match[str]) -> str:
    """NFKC puts a space under a vowel mark that stands alone; within a word it would part it."""
    return unicodedata.normalize("NFC", "".join(unicodedata.normalize("NFKC", form).lstrip(" ") for form in found[0]))
