"""Test the measurement of time, memory traffic and page faults."""

import math
import os
import time

import pytest
import torch

from conv import timing


def test_traffic_counts_inputs_and_outputs():
    counted = timing.traffic(lambda x, y: x + y, (10, 20), (10, 20))
    assert (counted.calls, counted.bytes, counted.largest) == (1, 3 * 800, 800)


def test_traffic_ignores_views():
    counted = timing.traffic(lambda x: x.T[1:].unfold(0, 3, 1), (10, 20))
    assert (counted.calls, counted.bytes, counted.largest) == (0, 0, 0)


def test_traffic_finds_the_largest_tensor():
    counted = timing.traffic(lambda x: (x[:, None] + x).sum(), (100,))
    assert counted.largest == 4 * 100**2


@pytest.fixture
def clock(monkeypatch):
    """Replace the clock by one that the test controls."""
    shown = [0.0]
    monkeypatch.setattr(timing, "clock_for", lambda device: lambda: shown[0])
    return shown


def test_seconds_returns_the_shortest_time(clock):
    durations = iter([0.9, 0.3, 0.4, 0.1])

    def call():
        clock[0] += next(durations)

    assert timing.seconds(call, budget=0.6) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("duration", "count"), [(0.001, 20), (0.1, 11), (0.99, 2), (1.1, 1)]
)
def test_number_of_calls_depends_on_the_budget(clock, duration, count):
    calls = []

    def call():
        calls.append(1)
        clock[0] += duration

    timing.seconds(call, budget=0.95)
    assert len(calls) == count


def test_clock_for_one_thread_measures_its_cpu_time():
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert timing.clock_for(timing.CPU) is time.perf_counter
        torch.set_num_threads(1)
        assert timing.clock_for(timing.CPU) is not time.perf_counter or os.name == "nt"
    finally:
        torch.set_num_threads(threads)


def test_time_from_memory_is_positive():
    sweep = torch.zeros(9)
    assert timing.seconds_from_memory(lambda: None, sweep) > 0
    assert sweep.sum() == 9


def test_usage_is_measured():
    used = timing.usage(lambda: sum(range(10_000)), budget=0.02)
    assert used.page_faults < 100 or math.isnan(used.page_faults)
    assert 0 <= used.system_share <= 1


def test_page_faults_are_counted():
    pytest.importorskip("resource")
    block = 2**28  # larger than what any allocator keeps
    used = timing.usage(lambda: bytes(block).count(1), budget=0)
    assert used.page_faults > block / 2**21 / 2  # even with pages of 2 MiB


def test_page_faults_are_nan_without_the_resource_module(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "resource", None)
    used = timing.usage(lambda: sum(range(1000)), budget=0.01)
    assert math.isnan(used.page_faults)
    assert 0 <= used.system_share <= 1
