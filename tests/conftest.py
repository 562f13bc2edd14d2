"""Settings and fixtures that all tests share."""

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
