"""Nets that more than one chapter trains."""

from torch import nn


def lenet() -> nn.Sequential:
    """Build a modern version of LeNet for 28 x 28 digits.

    Returns
    -------
    nn.Sequential
        Maps (N, 1, 28, 28) to (N, 10), one score per class; 61,706 parameters.

    Notes
    -----
    Built in chapter 11. The layers are those of Y. LeCun, L. Bottou, Y. Bengio,
    P. Haffner, *Gradient-based learning applied to document recognition*, 1998, but
    with ReLU, max pooling, and a second convolution that uses all channels.
    """
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),  # (N, 6, 28, 28)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (N, 6, 14, 14)
        nn.Conv2d(6, 16, 5),  # (N, 16, 10, 10)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (N, 16, 5, 5)
        nn.Flatten(),  # (N, 400)
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),  # (N, 10)
    )
