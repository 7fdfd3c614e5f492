"""`python3 -m server COMMAND`, and the installed command `digitalnow`.

An old Python must be able to read this file in order to be told so: no syntax newer than 3.8 here. The rest, from
`server.bootstrap` on, is for Python 3.11 and later.
"""

import shutil
import subprocess
import sys

OLDEST = (3, 11)
KNOWN = ("python3.14", "python3.13", "python3.12", "python3.11")


def old_python(version: "tuple[int, ...]") -> "str | None":
    """The sentence for a Python that is too old, with a newer one that is at hand if there is one."""
    if version >= OLDEST:
        return None
    newer = next(filter(runs, KNOWN), None)
    advice = f"this machine has {newer}: start with `{newer} -m server`" if newer else "install a newer one"
    return f"digitalnow needs Python 3.11 or later and {sys.executable} is {version[0]}.{version[1]}: {advice}."


def runs(name: str) -> bool:
    """Whether there is such a Python; version switchers have the names of some that they do not run."""
    path = shutil.which(name)
    return path is not None and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0


def main(argv: "list[str] | None" = None) -> int:
    """Runs a command with `argv`, the words after the program's name. Returns the exit status."""
    refusal = old_python(tuple(sys.version_info[:2]))
    if refusal is None and not __package__:
        refusal = "digitalnow starts as a module: go to the folder that holds `server` and type `python3 -m server`."
    if refusal is not None:
        sys.stderr.write(refusal + "\n")
        return 1
    from server import bootstrap  # only now: an old Python cannot read it

    return bootstrap.main(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
