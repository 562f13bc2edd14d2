"""Settings and fixtures that all tests share."""

import os
import signal
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

import conv

# A first call into PyTorch takes longer than hypothesis allows by default.
settings.register_profile("conv", deadline=None)
# For mutants: the same few examples each time, so that a verdict can be repeated.
settings.register_profile(
    "mutants", deadline=None, max_examples=15, derandomize=True, database=None
)
settings.load_profile("conv")


@pytest.fixture(scope="session")
def device() -> torch.device:
    """Give the device under test: CONV_DEVICE's, as everywhere."""
    return conv.default_device()


@pytest.fixture(autouse=True)
def seed() -> None:
    conv.seed_everything(0)


def too_long(signum: int, frame: object) -> None:
    raise TimeoutError("no test of a mutant may take so long")


@pytest.fixture(autouse=True)
def limit_for_mutants() -> Iterator[None]:
    """End a test that waits for ever since a mutant makes it: a death like others."""
    if not os.environ.get("MUTANT_UNDER_TEST"):
        yield
        return
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(60)  # seconds
    yield
    signal.alarm(0)
