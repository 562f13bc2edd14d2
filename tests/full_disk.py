"""Simulate a full disk, and a user without write permission."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Limit the size of files to `room` bytes, so that longer writes fail.

    The error is EFBIG, "File too large"; a full disk raises ENOSPC instead.
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
def without_permission() -> Iterator[None]:
    """Give up root's privileges for a while, because root may write to any folder."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
