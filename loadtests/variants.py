"""Servers with something changed for a scenario: without a limit or a check, or with hints that get lost.

Nothing in the server knows of it. Python runs a module `sitecustomize` before anything else if it finds one, and this one changes
what one kind of the server's processes has loaded.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from loadtests.server_under_test import CHECKOUT

SITE = """\
import sys

if sys.orig_argv[1:3] == ["-m", {module!r}]:
    sys.path.insert(0, {checkout!r})
{code}
"""


def variant(folder: Path, module: str, code: str) -> dict[str, str]:
    """Variables for a `Server` whose processes of this module (`server.api`, `server.live`) run the code before they begin."""
    patched = folder / "patched"
    patched.mkdir(exist_ok=True)
    text = SITE.format(module=module, checkout=str(CHECKOUT), code=textwrap.indent(code, "    "))
    (patched / "sitecustomize.py").write_text(text, "utf-8")
    return {"PYTHONPATH": str(patched)}
