"""Train variants of chapter 11's LeNet, and a perceptron, with five seeds."""

from types import SimpleNamespace

CHAPTER = "11_train_lenet"
SEEDS = [0, 1, 2, 3, 4]
TOLERANCE = {"": 0.02}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return losses and accuracies: by network, by seed."""
    test = code.conv.make_loader(code.digits.test, 500, device=code.device)

    def measure(name: str, net: object) -> dict:
        found = code.measure(net)
        found["accuracies after shifts"] = code.accuracies_after_shifts(net)
        if name in ("baseline", "shifts, 30 epochs"):
            [accuracy] = code.conv.evaluate(net, test, code.conv.accuracy)
            found["test accuracy"] = accuracy
        return found

    results = {}
    for name in [*code.variants, "perceptron"]:
        runs = []
        for seed in seeds:
            if name == "perceptron":
                net = code.train_perceptron(seed)
            else:
                net, _ = code.train_variant(name, seed)
            runs.append(measure(name, net))
        results[name] = {key: [run[key] for run in runs] for key in runs[0]}
    return results
