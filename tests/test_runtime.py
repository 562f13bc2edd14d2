"""Choosing a device, and runs that repeat themselves."""

import os
import random
import re

import numpy as np
import pytest
import torch

import conv
import conv.runtime


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002


def test_seed_repeats_all_generators():
    conv.seed_everything(7)
    first = draw()
    conv.seed_everything(7)
    assert draw() == first
    conv.seed_everything(8)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_seed_asks_for_exact_products():
    torch.backends.cudnn.conv.fp32_precision = "tf32"
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    conv.seed_everything(0)
    assert torch.backends.cudnn.conv.fp32_precision == "ieee"
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"


@pytest.mark.parametrize("name", ["cpu", "meta"])
def test_environment_decides(monkeypatch, name):
    monkeypatch.setenv("CONV_DEVICE", name)
    assert conv.default_device() == torch.device(name)


@pytest.mark.parametrize("unset", [None, ""])
def test_otherwise_the_accelerator(monkeypatch, unset):
    if unset is None:
        monkeypatch.delenv("CONV_DEVICE", raising=False)
    else:
        monkeypatch.setenv("CONV_DEVICE", unset)
    found = torch.accelerator.current_accelerator(check_available=True)
    assert conv.default_device() == (found or torch.device("cpu"))


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "xpu", "cpu:cpu"])
def test_devices_that_are_none(monkeypatch, name):
    monkeypatch.setenv("CONV_DEVICE", name)
    message = f"CONV_DEVICE is {name!r}; expected a device that this machine has"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        conv.default_device()


def test_the_device_asked_for_is_used(device):
    asked = os.environ.get("CONV_DEVICE")
    if asked:
        assert device.type == torch.device(asked).type
    assert conv.corr2d(*torch.ones(2, 3, 3, device=device)).device.type == device.type


def test_a_file_is_replaced_and_never_overwritten(tmp_path):
    path, witness = tmp_path / "file", tmp_path / "witness"
    path.write_bytes(b"old")
    os.link(path, witness)
    conv.runtime.write_whole(path, b"new")
    assert (path.read_bytes(), witness.read_bytes()) == (b"new", b"old")
