"""Runs a server and ends it when a pipe closes: for systems whose kernel does not tell a process of its parent's death.

Runs as a script: `watch.py COMMAND ARGUMENT…`. Standard input is the pipe; its other end is in the owner alone, so
whatever ends the owner closes it. The server's pid is the one line on standard output. The watcher ends when the server
ends, with the same status: the owner watches the watcher and needs to know no second process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

OWNER_BUFFER = 4096


def follow(server: subprocess.Popen[bytes]) -> None:
    """Waits for the server and ends the watcher with it. A signal as its end gives 128 + the number."""
    status = server.wait()
    os._exit(status if status >= 0 else 128 - status)


def main(command: list[str]) -> None:
    # Descriptors stay open: the server must inherit the lock on its folder.
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, close_fds=False)
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    follower = threading.Thread(target=follow, args=(server,))
    follower.start()
    while os.read(sys.stdin.fileno(), OWNER_BUFFER):
        pass
    server.send_signal(signal.SIGINT)
    follower.join()


if __name__ == "__main__":
    main(sys.argv[1:])
