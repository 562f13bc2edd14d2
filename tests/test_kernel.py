"""Test interrupting and restarting a kernel during training."""

import os
import subprocess
import sys
from pathlib import Path
from queue import Empty

import pytest
from jupyter_client import BlockingKernelClient, KernelManager

from kernels import own_sockets
from rerun import NBVAL

ROOT = Path(__file__).parent.parent

SETUP = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from killed_run import bitwise_equal, train

def slowly(epoch, history):
    print("epoch", epoch, flush=True)
    time.sleep(60 * (epoch == 3))
"""
RUN = "net, history = train(Path({path!r}), callback=slowly)"
CHECK = """
net, history = train(Path({path!r}))
expected_net, expected_history = train(None)
expected = [expected_net.state_dict(), vars(expected_history)]
print(bitwise_equal([net.state_dict(), vars(history)], expected))
"""


@pytest.fixture
def kernel():
    manager = KernelManager(kernel_name="python3", **own_sockets())
    manager.start_kernel(extra_arguments=["--log-level=ERROR"])
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def read_until(client: BlockingKernelClient, wanted: str) -> str:
    """Read the kernel's output until it contains a text or the cell ends."""
    text = ""
    while wanted not in text:
        try:
            message = client.get_iopub_msg(timeout=100)
        except Empty:
            pytest.fail(f"the kernel sent no more output after: {text}")
        content = message["content"]
        text += content.get("text", "") + "".join(content.get("traceback", []))
        if content.get("execution_state") == "idle" and text:
            break
    assert wanted in text, text
    return text


def test_training_survives_interrupt_and_restart(kernel, tmp_path):
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
    read_until(client, "epoch 3")  # there was no checkpoint of epoch 3 yet
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=60)
    client.execute(setup + check)
    read_until(client, "True")


def test_reason_for_a_dead_kernel_is_reported(tmp_path):
    startup = tmp_path / "profile_default" / "startup" / "die.py"
    startup.parent.mkdir(parents=True)
    startup.write_text('import os\nos.write(2, b"no room left")\nos._exit(1)\n')
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *NBVAL, "-n0", "notebooks/index.ipynb"],
        cwd=ROOT,
        env=os.environ | {"IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert "no room left" in run.stdout.partition("what the kernel wrote")[2]


def test_kernels_do_not_share_sockets():
    first, second = own_sockets(), own_sockets()
    assert first["transport"] == second["transport"] == "ipc"
    assert first["ip"] != second["ip"]
