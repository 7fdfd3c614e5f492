"""HTML and Markdown as plain text: what goes, and what must stay as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from server.interchange.plain_text import plain


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<p>Hello <b>world</b> &amp; all</p><p>Two</p>", "Hello world & all\n\nTwo"),
        ("One<br/>Two<ul><li>a</li><li>b</li></ul>", "One\nTwo\n\n• a\n• b"),
        ('See <a href="https://x.org/a">this</a>.', "See this (https://x.org/a)."),
        ('<a href="https://x.org/">https://x.org</a>', "https://x.org"),
        ('<a href="javascript:alert(1)">this</a>', "this"),
        ("<p>a</p><script>alert(1)</script><style>p{}</style>", "a"),
        ("<P CLASS='x'>A  B\n C</P>", "A B C"),
        ("a < b, List<String> & c > d", "a < b, List<String> & c > d"),
        ("# Heading #\n\nText", "Heading\n\nText"),
        ("**bold** and *it* and __b__ and _i_", "bold and it and b and i"),
        ("* one\n- two\n  + three", "• one\n• two\n  • three"),
        ("[site](https://x.org) ![](https://x.org/i.png)", "site (https://x.org) https://x.org/i.png"),
        ("`code` and\n```python\nx = 1\n```", "code and\nx = 1"),
        ("2 * 3 * 4, snake_case_name, https://x.org/a_b_c", "2 * 3 * 4, snake_case_name, https://x.org/a_b_c"),
        ("C# and #hashtag, 5 * 2", "C# and #hashtag, 5 * 2"),
        ("**الدفع** الإلكتروني", "الدفع الإلكتروني"),
        ("a  \r\nb\n\n\n\nc", "a\nb\n\nc"),
        ("<p>open <b>never closed", "open never closed"),
    ],
)
def test_plain(written: str, shown: str) -> None:
    assert plain(written) == shown


@pytest.mark.parametrize(
    "text",
    [
        "*" * 20_000,
        "[" * 20_000,
        "# " + " " * 20_000 + "x",
        "<p " * 7_000,
        "`" * 20_000,
        "_a" * 10_000,
        "<b>" + " " * 20_000 + "x",
    ],
)
def test_texts_that_mean_harm_are_taken_in_their_stride(text: str) -> None:
    """Ten times, as long as a text may be: what is quadratic in it passes the suite's limit of time."""
    for _ in range(10):
        plain(text)


@settings(max_examples=300, deadline=None, database=None)
@given(st.text(alphabet="ab *_`#[]()<>p/&;\n-h:.سé", max_size=60))
def test_a_plain_text_without_tags_stays(text: str) -> None:
    once = plain(text)
    if "<" not in once:
        assert plain(once) == once
