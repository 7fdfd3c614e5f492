"""The command line. Standard library only until the environment is there: `--help` and `--list` install nothing."""

from __future__ import annotations

import argparse
import ast
import signal
import sys
from pathlib import Path
from typing import NoReturn

SCENARIOS = (
    "checkin_saturated",
    "checkin_steady",
    "agenda_read",
    "feed_fanout",
    "feed_slow",
    "feed_reconnect",
    "feed_storm",
    "demo_load",
    "crash",
    "duplicate_storm",
    "capacity",
    "overload",
    "postgres_away",
    "offline_return",
    "offline_merge",
    "search",
)
"""In the order in which they run. Each is the module of that name."""

EPILOG = """\
examples:
  python3 -m loadtests                            everything, an hour
  python3 -m loadtests checkin_saturated          one question
  python3 -m loadtests crash --seed 7             the same kills again
  python3 -m loadtests crash --workers 4          four API processes
  python3 -m loadtests feed_fanout --sockets 200  a quick look, not judged
  python3 -m loadtests feed_storm --gateways 4    four gateways

Every scenario starts a server of its own as a child process, with a fresh data
folder and free ports on this machine alone, and removes all of it at the end,
also on Ctrl-C. Server, database and generator share this machine's cores, so
let nothing else run. Ratios within a run travel to other machines, absolute
figures do not.

The table goes to standard output; the report, with plots, how each figure was
measured and what the machine was, is loadtests/out/report.html, and
report.json beside it. With another number of attendees or sockets than a
scenario's own, thresholds are shown but not judged. The exit status is 1 when
a threshold is missed, a run is invalid (its generator was the bottleneck) or
a scenario could not finish.
"""


def main(argv: list[str]) -> int:
    """Runs what the words say. Returns the exit status: 0 all thresholds kept, 1 not, 2 was called wrongly."""
    arguments = build_parser().parse_args(argv)
    if arguments.list:
        for name in SCENARIOS:
            print(f"{name:<20}{summary(name)}")
        return 0
    from server import bootstrap

    try:
        bootstrap.ensure("loadtests", argv)
    except bootstrap.BootstrapError as refusal:
        print(f"loadtests: {refusal}", file=sys.stderr)
        return 1
    from loadtests import runner

    signal.signal(signal.SIGTERM, _stop)  # a service manager's stop cleans up as Ctrl-C does
    try:
        return runner.run(arguments)
    except KeyboardInterrupt:
        print("\nloadtests: stopped; everything that was started has been ended.", file=sys.stderr)
        return bootstrap.INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    listing = "\n".join(f"  {name:<20}{summary(name)}" for name in SCENARIOS)
    parser = argparse.ArgumentParser(
        prog="python3 -m loadtests",
        description=f"Load tests against a server they start themselves.\n\nscenarios:\n{listing}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", type=_scenario, help="which; without one, all")
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
    parser.add_argument("--seconds", type=_positive, metavar="S", help="how long each measured part lasts")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of everything random (default 1)")
    parser.add_argument("--sockets", type=_count, metavar="N", help="another number of live connections (default 5000)")
    parser.add_argument("--attendees", type=_count, metavar="N", help="another size of the event")
    parser.add_argument("--workers", type=_workers, metavar="N", help="so many API processes, where that is left open")
    parser.add_argument("--gateways", type=_workers, metavar="N", help="so many gateways, where that is left open")
    parser.add_argument("--broken", action="store_true", help="variants that scenarios must catch: passes if they do")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--no-thresholds", action="store_true", help="measure only: judge nothing, exit with 0")
    parser.add_argument("--out", type=Path, metavar="DIR", help="for report and scratch data (default loadtests/out)")
    return parser


def summary(name: str) -> str:
    """The first line of a scenario's docstring, read without importing it."""
    return document(name).partition("\n")[0].rstrip(".")


def document(name: str) -> str:
    """A scenario's docstring: question, population, what is measured, thresholds, when the run is given up."""
    source = Path(__file__).with_name(f"{name}.py").read_text("utf-8")
    return ast.get_docstring(ast.parse(source)) or ""


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _scenario(text: str) -> str:
    if text not in SCENARIOS:
        raise argparse.ArgumentTypeError(f"there is no scenario {text!r}; there are {', '.join(SCENARIOS)}")
    return text


def _positive(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 3600")
    return value


def _workers(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 16:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 16")
    return value


def _count(text: str) -> int:
    value = int(text)
    if not 20 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not between 20 and 1,000,000")
    return value
