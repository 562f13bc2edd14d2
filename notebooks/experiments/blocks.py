"""Train chapter 13's networks, one per kind of block, with five seeds each."""

from types import SimpleNamespace

CHAPTER = "13_go_deeper"
SEEDS = [0, 1, 2, 3, 4]
TOLERANCE = {"": 0.1, "shortcut": 0.15}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return the validation accuracy after each epoch: by block, by seed."""
    kinds = code.kinds_of_blocks | code.cheaper_blocks
    return {
        name: code.train_from_seeds(make_block, seeds, learning_rate)
        for name, (make_block, learning_rate) in kinds.items()
    }
