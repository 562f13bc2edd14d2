"""Kill training at random times and check that it resumes correctly.

    python random_kills.py --kills 50 --seed 0

Each run is killed from outside by SIGKILL, resumes from its checkpoint and is killed
again until it finishes. Its results are then compared, bit for bit, with those of a run
that was never stopped. To load Python and torch only once, every attempt is a fork of
this process, which doesn't compute anything itself before it forks.
"""

import argparse
import json
import mmap
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

from conv import training
from killed_run import bitwise_equal, train

PLACES = ["elsewhere", "reading", "training", "measuring", "writing"]
FUNCTIONS = ["read_checkpoint", "train_epoch", "mean_measures", "save_checkpoint"]
# One byte, shared by parent and child, that says where the child is.
current_place = mmap.mmap(-1, 1)


def warm_up() -> None:
    """Load what torch loads lazily, once for all forks, with hardly any computation.

    Don't call ``backward``: with a GPU it starts threads, which a fork doesn't inherit.
    """
    torch.set_num_threads(1)
    weight = torch.ones(3, requires_grad=True)
    weight.grad = torch.ones(3)
    optimizer = torch.optim.AdamW([weight])
    torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=9)
    optimizer.step()


def observed(place: int, function: Callable) -> Callable:
    """Wrap a function so that the parent can see when it is running."""

    def call(*args: object) -> object:
        current_place[0] = place
        value = function(*args)
        current_place[0] = 0
        return value

    return call


def start_run(checkpoint: Path | None, result_file: Path) -> int:
    """Train in a fork of this process; return the id of the fork."""
    if child := os.fork():
        return child
    status = 1
    try:
        for place, name in enumerate(FUNCTIONS, start=1):
            setattr(training, name, observed(place, getattr(training, name)))
        net, history = train(checkpoint)
        torch.save({"net": net.state_dict(), "history": vars(history)}, result_file)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)  # skip exit handlers and buffers, which belong to the parent


def read(file: Path) -> dict:
    """Read the results that a child saved."""
    return torch.load(file, weights_only=True)


def wait_for(child: int) -> int:
    """Wait for a child; return its exit status, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_uninterrupted(folder: Path) -> tuple[list[object], float]:
    """Run without interruption; return the results, and the time in seconds."""
    plain, saved, checkpoint = (folder / name for name in ("alone", "kept", "whole.pt"))
    assert wait_for(start_run(None, plain)) == 0
    begin = time.monotonic()
    assert wait_for(start_run(checkpoint, saved)) == 0
    seconds = time.monotonic() - begin
    assert bitwise_equal(read(plain), read(saved))
    return [read(saved), read(checkpoint)], seconds


def record_kill(folder: Path, seconds: float, place: int) -> dict:
    """Record a kill: when and where it happened, and the partial files that it left."""
    partial_files = list(folder.glob("*.part"))
    for partial in partial_files:
        partial.unlink()
    return {"after": round(seconds, 4), "in": PLACES[place], "left": len(partial_files)}


def kill_often(folder: Path, count: int, seed: int) -> dict:
    """Kill and resume; fail if a finished run differs from an uninterrupted one."""
    expected, seconds = run_uninterrupted(folder)
    rng, kills, attempts = random.Random(seed), [], [0]
    checkpoint, result_file = folder / "run.pt", folder / "result"
    while True:
        current_place[0] = 0
        child = start_run(checkpoint, result_file)
        if len(kills) < count:
            delay = rng.uniform(0, seconds)
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)  # valid until it is waited for
        status, place = wait_for(child), current_place[0]
        attempts[-1] += 1
        if status == -signal.SIGKILL:
            kills.append(record_kill(folder, delay, place))
            continue
        assert status == 0, f"a run failed: {status}"
        assert bitwise_equal([read(result_file), read(checkpoint)], expected)
        assert not list(folder.glob("*.part"))
        checkpoint.unlink()
        if len(kills) == count:
            return {"seconds": seconds, "attempts": attempts, "kills": kills}
        attempts.append(0)


def main() -> int:
    """Kill the given number of times, and report where the kills happened."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        result = kill_often(Path(folder), arguments.kills, arguments.seed)
    result |= {"places": Counter(kill["in"] for kill in result["kills"])}
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
