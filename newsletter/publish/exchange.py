"""Edge: two folders change places in one step, renameat2(2) with RENAME_EXCHANGE (Linux 3.15, glibc 2.28)."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

_AT_FDCWD = -100
_EXCHANGE = 2

CANNOT = frozenset(
    {
        errno.ENOSYS,
        errno.EOPNOTSUPP,
        errno.EINVAL,  # the file system knows no exchange
        errno.EXDEV,  # two file systems, or one seen through two mounts
        errno.EBUSY,  # something is mounted there
        errno.EPERM,  # no hard links here, or none to files of others
        errno.EACCES,
        errno.EROFS,
        errno.ENOTDIR,  # something else stands where the second one would
        errno.EEXIST,
        errno.EMLINK,
    }
)
"""What a system answers that cannot; any other answer is a disk that fails."""


def exchange(one: Path, other: Path) -> bool:
    """Each takes the other's name, at once; False, with nothing changed, where that cannot be. Raises OSError."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in CANNOT:
        return False
    raise OSError(code, os.strerror(code), str(one))
