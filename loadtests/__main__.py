"""`python3 -m loadtests`. Like `python3 -m server` it makes or finds its environment first."""

import sys

from server.__main__ import old_python


def main(argv: "list[str]") -> int:
    refusal = old_python(tuple(sys.version_info[:2]))
    if refusal is None and not __package__:
        refusal = "go to the folder that holds `loadtests` and type `python3 -m loadtests`."
    if refusal is not None:
        sys.stderr.write(f"loadtests: {refusal}\n")
        return 1
    from loadtests import command  # only now: an old Python cannot read it

    return command.main(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
