"""Test the choice of a device, reproducible seeds and atomic writes."""

import os
import random
import re
import time

import numpy as np
import pytest
import torch

import conv
import conv.runtime
from full_disk import full_disk, without_permission


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002


def test_seed_reproduces_all_generators():
    conv.seed_everything(7)
    first = draw()
    conv.seed_everything(7)
    assert draw() == first
    conv.seed_everything(8)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_seed_disables_tf32_and_nondeterministic_algorithms(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    torch.backends.cudnn.conv.fp32_precision = "tf32"
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    conv.seed_everything(0)
    assert torch.backends.cudnn.conv.fp32_precision == "ieee"
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark


@pytest.mark.parametrize("name", ["cpu", "meta"])
def test_environment_variable_sets_the_device(monkeypatch, name):
    monkeypatch.setenv("CONV_DEVICE", name)
    assert conv.default_device() == torch.device(name)


@pytest.mark.parametrize("unset", [None, ""])
def test_default_device_is_the_accelerator(monkeypatch, unset):
    if unset is None:
        monkeypatch.delenv("CONV_DEVICE", raising=False)
    else:
        monkeypatch.setenv("CONV_DEVICE", unset)
    found = torch.accelerator.current_accelerator(check_available=True)
    assert conv.default_device() == (found or torch.device("cpu"))


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "xpu", "cpu:cpu"])
def test_invalid_devices_raise(monkeypatch, name):
    monkeypatch.setenv("CONV_DEVICE", name)
    message = f"CONV_DEVICE is {name!r}; expected a device that this machine has"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        conv.default_device()


def test_requested_device_is_used(device):
    requested = os.environ.get("CONV_DEVICE")
    if requested:
        assert device.type == torch.device(requested).type
    assert conv.corr2d(*torch.ones(2, 3, 3, device=device)).device.type == device.type


def test_atomic_write_replaces_the_file(tmp_path):
    path, hard_link = tmp_path / "file", tmp_path / "witness"
    path.write_bytes(b"old")
    os.link(path, hard_link)
    conv.runtime.atomic_write(path, b"new")
    assert (path.read_bytes(), hard_link.read_bytes()) == (b"new", b"old")


def test_full_disk_keeps_only_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    message = f"File too large: {str(path)!r}"
    with full_disk(10), pytest.raises(OSError, match=f"{re.escape(message)}$"):
        conv.runtime.atomic_write(path, b"new" * 10)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "file": b"old"
    }


def test_missing_write_permission_raises_with_the_path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    tmp_path.chmod(0o500)
    message = f"Permission denied: {str(path)!r}"
    with (
        without_permission(),
        pytest.raises(PermissionError, match=f"{re.escape(message)}$"),
    ):
        conv.runtime.atomic_write(path, b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_old_partial_files_are_removed(tmp_path):
    """Recent partial files, and those of other files, are kept."""
    names = ["run[1].pt.7.part", "run[1].pt.8.part", "run1.pt.7.part"]
    for name in names:
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (0, time.time() - 4000 * (name != names[1])))
    conv.runtime.atomic_write(tmp_path / "run[1].pt", b"whole")
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        ["run[1].pt", *names[1:]]
    )


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_smallest_and_largest_seed(seed):
    conv.seed_everything(seed)
    first = draw()
    conv.seed_everything(seed)
    assert draw() == first
