"""Train chapter 15's broken networks, and a healthy one with several rates."""

from types import SimpleNamespace

CHAPTER = "15_train_it_well"
SEEDS = [0, 1, 2, 3, 4]
CHAOTIC = [
    f"{letter}, log10 of {part} loss"
    for letter in "DFG"
    for part in ("training", "validation")
]
TOLERANCE = {"": 0.1, **dict.fromkeys(CHAOTIC, 0.9)}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return curves by letter, and final accuracies by learning rate."""
    results = {}
    for letter, changes in {"healthy": {}, **code.bugs}.items():
        runs = [code.train(seed, changes) for seed in seeds]
        results[letter] = {
            "log10 of training loss": [r[0].log10().tolist() for r in runs],
            "log10 of validation loss": [r[1].log10().tolist() for r in runs],
            "accuracy": [r[2].tolist() for r in runs],
        }
    results["rates"] = {
        rate: [
            code.train(seed, {"learning rate": rate})[2, -1].item()
            for seed in seeds
        ]
        for rate in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    }
    return results
