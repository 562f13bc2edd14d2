"""Train chapter 15's network with and without each ingredient."""

from types import SimpleNamespace

CHAPTER = "15_train_it_well"
SEEDS = [0, 1, 2, 3, 4, 5, 6, 7]
# With a constant rate and running statistics, some networks end far below the
# others, and which ones depends on the machine.
CHAOTIC = [
    f"{name}, {kind}, running"
    for name in ("constant rate", "constant rate of 0.003", "without schedule")
    for kind in ("last", "average", "training digits")
]
TOLERANCE = {"": 0.05, **dict.fromkeys(CHAOTIC, 0.2)}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return accuracies by variant, weights and statistics."""

    def train(name: str, used: set, shift: int = 0, **settings: float) -> dict:
        rows = []
        for seed in seeds:
            data = code.few_digits(seed)
            pair = code.train_recipe(used, data, seed + shift, **settings)
            chosen = pair[name == "full recipe"]  # its averaged weights
            before = code.accuracy_on(code.test, chosen)
            row = code.accuracies(*pair, data)
            if name in ("baseline", "with augmentation", "full recipe"):
                after = code.accuracy_on(code.test, chosen)
                row |= {"test, running": before, "test": after}
            rows.append(row)
        return {key: [row[key] for row in rows] for key in rows[0]}

    results = {name: train(name, used) for name, used in code.variants.items()}
    results["other seeds"] = train("", {"schedule"}, shift=100)
    results["constant rate of 0.003"] = train("", set(), rate=0.003)
    for name in ("with augmentation", "full recipe"):
        used = code.variants[name]
        results[f"{name}, 160 epochs"] = train("", used, epochs=160)
    return results
