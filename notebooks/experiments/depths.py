"""Train chapter 13's networks at three depths, from three seeds each."""

from types import SimpleNamespace

import conv

CHAPTER = "13_go_deeper"
SEEDS = [0, 1, 2]
TOLERANCE = {
    "": 0.15,
    "batch norm, 20, losses": 0.5,
    "batch norm, 20, accuracies": 0.3,
}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return losses and accuracies: by block, depth, seed and epoch."""
    found: dict = {}
    for name in ("batch norm", "both"):
        make_block, learning_rate = code.kinds_of_blocks[name]
        found[name] = {}
        for depth in (3, 10, 20):
            losses, accuracies = [], []
            for seed in seeds:
                conv.seed_everything(seed)
                net = code.net_of(make_block, depth).to(code.device)
                history = code.train(net, rate=learning_rate)
                losses.append(history.losses)
                accuracies.append(history.metrics)
            found[name][depth] = {"losses": losses, "accuracies": accuracies}
    return found
