"""Settings and fixtures shared by all tests."""

import os
import signal
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

import conv

# The first call into PyTorch exceeds hypothesis's default deadline.
settings.register_profile("conv", deadline=None)
# For mutation testing: a few examples, the same each time, for reproducible results.
settings.register_profile(
    "mutants", deadline=None, max_examples=15, derandomize=True, database=None
)
settings.load_profile("conv")


@pytest.fixture(scope="session")
def device() -> torch.device:
    """Return the device under test, which CONV_DEVICE sets."""
    return conv.default_device()


@pytest.fixture(autouse=True)
def seed() -> None:
    conv.seed_everything(0)


def raise_timeout(signum: int, frame: object) -> None:
    raise TimeoutError("a test of a mutant exceeded its time limit")


@pytest.fixture(autouse=True)
def limit_for_mutants() -> Iterator[None]:
    """Fail a test of a mutant after 60 seconds, because the mutant may make it hang."""
    if not os.environ.get("MUTANT_UNDER_TEST"):
        yield
        return
    signal.signal(signal.SIGALRM, raise_timeout)
    signal.alarm(60)  # seconds
    yield
    signal.alarm(0)
