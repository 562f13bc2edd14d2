"""Train chapter 15's network with and without each ingredient."""

from types import SimpleNamespace

CHAPTER = "15_train_it_well"
SEEDS = [0, 1, 2, 3, 4, 5, 6, 7]
TOLERANCE = {"": 0.05}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return the accuracies of the last and of the averaged weights."""

    def measure(runs: list) -> dict:
        return {
            "last": [code.accuracy_on(code.held_out, net) for net, _ in runs],
            "average": [code.accuracy_on(code.held_out, a) for _, a in runs],
        }

    results = {}
    for name, used in code.variants.items():
        runs = [
            code.train_recipe(used, code.few_digits(seed), seed)
            for seed in seeds
        ]
        results[name] = measure(runs)
        if name in ("baseline", "with augmentation", "full recipe"):
            k = name == "full recipe"  # its averaged weights
            results[name]["test"] = [
                code.accuracy_on(code.test, pair[k]) for pair in runs
            ]
    results["other seeds"] = measure(
        [
            code.train_recipe({"schedule"}, code.few_digits(seed), seed + 100)
            for seed in seeds
        ]
    )
    results["constant rate of 0.003"] = measure(
        [
            code.train_recipe(set(), code.few_digits(seed), seed, rate=0.003)
            for seed in seeds
        ]
    )
    return results
