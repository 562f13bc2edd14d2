"""A disk that is full, and a user without rights, wherever the tests run."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file grow beyond some bytes: the write after that fails, as on a full one.

    The error is EFBIG, "File too large", where a disk has ENOSPC.
    """
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def no_rights() -> Iterator[None]:
    """Be somebody whom a folder's mode stops: root is stopped by none."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
