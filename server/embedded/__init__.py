"""A PostgreSQL of one's own: started, watched and stopped by the process that needs it.

For a laptop, a rehearsal or a single server. A venue with a database operator names that database instead, and
nothing here runs. Only the programs of a PostgreSQL installation are used, never a package's own way of starting
them.

What always holds:

1. **One process owns a data folder.** It holds a kernel lock on `<data>/lock` as long as it lives. The pid inside is
   for people; the lock is the truth, so a crash never blocks the next start and a recycled pid never fools it.
   Others of its user may talk to its server (`running`), as a command does that revokes a token beside it.
2. **No two servers ever run on the same files.** PostgreSQL and every process it forks inherit a second lock, on the
   cluster folder itself. While a dead owner's server is still ending, the next start waits for it, then says who is
   in the way. Only under that lock is a left-over `postmaster.pid` removed. PostgreSQL's own check of its shared
   memory stays on.
3. **The server ends with its owner**, however the owner ends. On Linux the kernel sends the signal; elsewhere a small
   watcher holds the other end of a pipe. Never from the keyboard: Ctrl-C reaches the owner, which first lets its work
   end.
4. **A data folder exists whole or not at all.** It is made beside its place and renamed into it.
5. **What was committed stays.** `fsync` is on, pages carry checksums, a stop is PostgreSQL's fast shutdown.
   `durable=False` gives that up for the speed of tests.
6. **Nobody else gets in.** No TCP port: one Unix socket in a folder that only its owner may enter. Nothing is written
   outside the data folder but that socket's folder.
7. **Root never runs PostgreSQL as root**: it runs in a user namespace where it is somebody else, or as `nobody`.
8. **Every refusal is one sentence that says what to do** (`EmbeddedError`); the rest is in `<data>/postgres.log`.

The data folder holds `postgres/` (the cluster), `postgres.log` and its predecessor, `lock`, and as root without user
namespaces `programs-<version>/`.

The owner must start its server from a thread that lives as long as it wants the server: the kernel ties the server to
that thread. Its worker processes must be started by exec, not by a bare fork, or they hold the locks too.
"""

from server.embedded.failure import EmbeddedError, InUseError
from server.embedded.supervisor import EmbeddedPostgres

__all__ = ["EmbeddedError", "EmbeddedPostgres", "InUseError"]
