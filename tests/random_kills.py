"""Kill training at random times until it has been killed often enough.

    python random_kills.py --kills 50 --seed 0

Each run is killed from outside by SIGKILL, goes on from its checkpoint, and is killed
again, until it comes to its end. Then all that it computed is compared with a run that
was never stopped, to the last bit. Python and torch are loaded once: each life of a
run is a fork of this process, which itself computes nothing before.
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
from killed_run import same, train

PARTS = ["elsewhere", "reading", "training", "measuring", "writing"]
FUNCTIONS = ["read_checkpoint", "train_epoch", "mean_measures", "save_checkpoint"]
now = mmap.mmap(-1, 1)  # one byte that parent and child share: where the child is


def warm_up() -> None:
    """Load what torch loads late, once for all forks, and compute next to nothing.

    No ``backward``: on a machine with a GPU it starts threads, which no fork has.
    """
    torch.set_num_threads(1)
    weight = torch.ones(3, requires_grad=True)
    weight.grad = torch.ones(3)
    optimizer = torch.optim.AdamW([weight])
    torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=9)
    optimizer.step()


def marked(place: int, function: Callable) -> Callable:
    """Let a function tell the parent that it is running."""

    def call(*args: object) -> object:
        now[0] = place
        value = function(*args)
        now[0] = 0
        return value

    return call


def live(checkpoint: Path | None, result: Path) -> int:
    """Train in a fork of this process, and give its id."""
    if child := os.fork():
        return child
    status = 1
    try:
        for place, name in enumerate(FUNCTIONS, start=1):
            setattr(training, name, marked(place, getattr(training, name)))
        net, history = train(checkpoint)
        torch.save({"net": net.state_dict(), "history": vars(history)}, result)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)  # without what a fork must not do twice: tests, buffers


def read(file: Path) -> dict:
    """Read what a child wrote."""
    return torch.load(file, weights_only=True)


def end(child: int) -> int:
    """Wait for a child; give its exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def unbroken(folder: Path) -> tuple[list[object], float]:
    """Run without a stop: all that was computed, and the seconds that it took."""
    alone, kept, checkpoint = (folder / name for name in ("alone", "kept", "whole.pt"))
    assert end(live(None, alone)) == 0
    begin = time.monotonic()
    assert end(live(checkpoint, kept)) == 0
    seconds = time.monotonic() - begin
    assert same(read(alone), read(kept))
    return [read(kept), read(checkpoint)], seconds


def bury(folder: Path, lived: float, place: int) -> dict:
    """Note a kill: after how many seconds, where, and what it left half done."""
    halves = list(folder.glob("*.part"))
    for half in halves:
        half.unlink()
    return {"after": round(lived, 4), "in": PARTS[place], "left": len(halves)}


def kill_often(folder: Path, kills: int, seed: int) -> dict:
    """Kill and resume; fail if a run that ended differs from one never stopped."""
    wanted, seconds = unbroken(folder)
    draw, deaths, lives = random.Random(seed), [], [0]
    checkpoint, result = folder / "run.pt", folder / "result"
    while True:
        now[0] = 0
        child = live(checkpoint, result)
        if len(deaths) < kills:
            delay = draw.uniform(0, seconds)
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)  # of one that has ended, too: not waited for
        status, place = end(child), now[0]
        lives[-1] += 1
        if status == -signal.SIGKILL:
            deaths.append(bury(folder, delay, place))
            continue
        assert status == 0, f"a run failed: {status}"
        assert same([read(result), read(checkpoint)], wanted)
        assert not list(folder.glob("*.part"))
        checkpoint.unlink()
        if len(deaths) == kills:
            return {"seconds": seconds, "lives": lives, "deaths": deaths}
        lives.append(0)


def main() -> int:
    """Kill as often as asked, and tell where the kills fell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        told = kill_often(Path(folder), arguments.kills, arguments.seed)
    told |= {"fell": Counter(death["in"] for death in told["deaths"])}
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
