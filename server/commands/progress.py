"""The bar that a person sees who waits."""

from __future__ import annotations

import sys

BAR_WIDTH = 30


def show_progress(doing: str, done: int, total: int, *, worth_from: int) -> None:
    """Draws the bar on standard error, if that is a terminal and there is so much to do that somebody would wait."""
    if total < worth_from or not sys.stderr.isatty():
        return
    filled = BAR_WIDTH * done // total
    end = "\n" if done == total else ""
    print(
        f"\r  {doing} [{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {done:,} of {total:,}",
        end=end,
        file=sys.stderr,
        flush=True,
    )
