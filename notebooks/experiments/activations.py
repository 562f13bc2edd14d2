"""Train chapter 11's LeNet with other layers, with five seeds each."""

from types import SimpleNamespace

CHAPTER = "11_train_lenet"
SEEDS = [0, 1, 2, 3, 4]
TOLERANCE = {"": 0.015}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return training losses and validation accuracies: by net, by seed."""
    results = {}
    for name in code.parts:
        runs = [code.train_from_seed(name, seed) for seed in seeds]
        results[name] = {
            "losses": [run.losses for run in runs],
            "accuracies": [run.metrics for run in runs],
        }
    return results
