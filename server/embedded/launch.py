"""Becomes a PostgreSQL program, as the right user and tied to its parent's life.

Runs as a script, in a fresh interpreter that has no threads and loads nothing but this file, because what it does must
happen between fork and exec: `launch.py [--namespace UID] [--user UID:GID] [--parent PID] -- PROGRAM ARGUMENT…`

- `--namespace UID`: enter a new user namespace in which the present user is called UID. Files stay the present user's.
- `--user UID:GID`: become that user for good.
- `--parent PID`: when the parent's thread ends, the kernel sends SIGINT, PostgreSQL's fast shutdown. Linux only.

Ends with `NO_USER` when the system refuses the change of user, with `NO_PROGRAM` when it cannot execute the program.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

NO_USER = 125
NO_PROGRAM = 126

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


class RefusedError(Exception):
    """The system does not let this process become somebody else."""


def enter_namespace(uid: int) -> None:
    """A namespace of one user, `user_namespaces(7)`: PostgreSQL sees an ordinary user, the kernel sees the old one."""
    outside_uid, outside_gid = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        raise RefusedError(f"no user namespace: {os.strerror(ctypes.get_errno())}")
    maps = {"setgroups": "deny", "uid_map": f"{uid} {outside_uid} 1", "gid_map": f"{uid} {outside_gid} 1"}
    for name, text in maps.items():
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs 5 ms of each start
            file.write(text)


def become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int) -> None:
    """Must come after the change of user, which clears the kernel's note. The parent may have died before the note."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(f"the parent process {parent} has ended")


def prepare(words: list[str]) -> None:
    for option, value in zip(words[::2], words[1::2], strict=True):
        if option == "--namespace":
            enter_namespace(int(value))
        elif option == "--user":
            uid, _, gid = value.partition(":")
            become(int(uid), int(gid))
        else:
            die_with(int(value))


def main(argv: list[str]) -> None:
    split = argv.index("--")
    command = argv[split + 1 :]
    try:
        prepare(argv[:split])
    except (RefusedError, OSError) as error:
        sys.stderr.write(f"launch: {error}\n")
        sys.exit(NO_USER)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and an ignored signal survives exec
    try:
        os.execv(command[0], command)  # noqa: S606 - the words are the owner's
    except OSError as error:
        sys.stderr.write(f"launch: {command[0]}: {error.strerror}\n")
        sys.exit(NO_PROGRAM)


if __name__ == "__main__":
    main(sys.argv[1:])
