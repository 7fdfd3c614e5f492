"""The errors of the embedded PostgreSQL, and how an operating system's refusal becomes a sentence."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MEBI = 1024 * 1024

ELSEWHERE = "choose another folder with --data-dir"
"""What a person can always do about a data folder."""


class EmbeddedError(Exception):
    """PostgreSQL cannot run here. The message is one sentence that says what to do; show it as it is."""


class InUseError(EmbeddedError):
    """Another process owns the data folder: its server can be reached (`running.find`), a second one cannot be started."""


def of_folder(folder: Path, error: OSError) -> EmbeddedError:
    """The sentence for an operating system's refusal to make or use `folder`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full_disk(folder)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return EmbeddedError(f"{folder} cannot be written by this user: change its permissions or {ELSEWHERE}.")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return EmbeddedError(f"{folder} is, or lies below, something that is not a folder: {ELSEWHERE}.")
    return EmbeddedError(f"{folder} cannot be used as the data folder ({error.strerror}): {ELSEWHERE}.")


def full_disk(folder: Path) -> EmbeddedError:
    """The sentence for a full disk, with what is left of it."""
    free = shutil.disk_usage(folder).free
    return EmbeddedError(
        f"The disk of {folder} is full, or nearly ({free} bytes, {free // _MEBI} MB, are free): "
        f"make room or {ELSEWHERE}."
    )
