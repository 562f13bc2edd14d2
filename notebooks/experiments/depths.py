"""Train chapter 13's networks at three depths, with three seeds each."""

from types import SimpleNamespace

import conv

CHAPTER = "13_go_deeper"
SEEDS = [0, 1, 2]
TOLERANCE = {
    "": 0.15,
    "batch norm, 20, losses": 0.5,
    "batch norm, 20, accuracies": 0.3,
    **{
        f"{name}, {depth}, gradient growth": 0.5
        for name in ("batch norm", "both")
        for depth in (3, 10, 20)
    },
}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return losses and accuracies: by block, depth, seed and epoch.

    The gradient growth, after training, is the power of ten by which the
    gradient norm at the first block exceeds that after the last.
    """
    images = code.digits.train.images[::175].to(code.device).double()
    labels = code.digits.train.labels[::175].to(code.device)
    found: dict = {}
    for name in ("batch norm", "both"):
        make_block, learning_rate = code.kinds_of_blocks[name]
        found[name] = {}
        for depth in (3, 10, 20):
            losses, accuracies, growth = [], [], []
            for seed in seeds:
                conv.seed_everything(seed)
                net = code.net_of(make_block, depth).to(code.device)
                history = code.train(net, rate=learning_rate)
                losses.append(history.losses)
                accuracies.append(history.metrics)
                net = net.double().train()
                norms = code.gradient_norms(net, images, labels)
                growth.append((norms[0] / norms[-1]).log10().item())
            found[name][depth] = {
                "losses": losses,
                "accuracies": accuracies,
                "gradient growth": growth,
            }
    return found
