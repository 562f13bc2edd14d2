"""Jupyter's stop button, and a kernel restarted while it trains."""

from pathlib import Path
from queue import Empty

import pytest
from jupyter_client import BlockingKernelClient, KernelManager

SETUP = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from killed_run import same, train

def slowly(epoch, history):
    print("epoch", epoch, flush=True)
    time.sleep(60 * (epoch == 3))
"""
RUN = "net, history = train(Path({path!r}), callback=slowly)"
CHECK = """
net, history = train(Path({path!r}))
whole, its = train(None)
print(same([net.state_dict(), vars(history)], [whole.state_dict(), vars(its)]))
"""


@pytest.fixture
def kernel():
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(extra_arguments=["--log-level=ERROR"])
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def read_until(client: BlockingKernelClient, wanted: str) -> str:
    """Read what the kernel prints, up to some text or the end of the cell."""
    text = ""
    while wanted not in text:
        try:
            message = client.get_iopub_msg(timeout=100)
        except Empty:
            pytest.fail(f"the kernel is silent; before: {text}")
        content = message["content"]
        text += content.get("text", "") + "".join(content.get("traceback", []))
        if content.get("execution_state") == "idle" and text:
            break
    assert wanted in text, text
    return text


def test_stopped_then_restarted_while_it_trains(kernel, tmp_path):
    manager, client = kernel
    names = {"tests": str(Path(__file__).parent), "path": str(tmp_path / "run.pt")}
    setup, run, check = (text.format(**names) for text in (SETUP, RUN, CHECK))
    client.execute(setup + run)
    read_until(client, "epoch 3")
    manager.interrupt_kernel()
    read_until(client, "Interrupted: History(3 of 4")
    client.execute("print(history, len(history.snapshots))")  # nothing is lost
    read_until(client, "INTERRUPTED) 4")
    client.execute(run)
    read_until(client, "epoch 3")  # of epoch 3 there was no checkpoint yet
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=60)
    client.execute(setup + check)
    read_until(client, "True")
