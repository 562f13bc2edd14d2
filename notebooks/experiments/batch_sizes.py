"""Train chapter 14's LeNet with several batch sizes and learning rates."""

from types import SimpleNamespace

CHAPTER = "14_outgrow_one_machine"
SEEDS = [0, 1, 2, 3, 4]
TOLERANCE = {"": 0.01, "batches of 140, rate x 7": 0.05}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return the validation accuracy after five epochs: by plan, by seed."""
    plans = code.plans | {f"rate {rate}": (1750, rate) for rate in code.rates}
    return {
        name: [code.accuracy_after(*plan, seed) for seed in seeds]
        for name, plan in plans.items()
    }
