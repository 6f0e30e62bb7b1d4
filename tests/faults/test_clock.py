"""The wall clock jumps, the monotonic clock does not, and waits follow the wall clock."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.clock import Clock

HOUR_S = 3600
MUCH_S = 120  # a bound on hanging, far from any jump
# Waits with C11 threads for some seconds of the wall clock, as librdkafka does; then
# prints the time and how long it took.
WAIT = """
import ctypes, time
class Timespec(ctypes.Structure):
    _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]
libc = ctypes.CDLL(None)
condition, mutex = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
libc.cnd_init(condition), libc.mtx_init(mutex, 0), libc.mtx_lock(mutex)
began, until = time.monotonic(), time.time() + {wait_s}
deadline = Timespec(int(until), int(until % 1 * 1e9))
print("waiting", flush=True)
while libc.cnd_timedwait(condition, mutex, ctypes.byref(deadline)) == 0:
    pass
print(time.time(), time.monotonic() - began)
"""


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


def wait(clock: Clock, wait_s: float) -> subprocess.Popen:
    child = subprocess.Popen([sys.executable, "-c", WAIT.format(wait_s=wait_s)], text=True,
                             stdout=subprocess.PIPE, env=os.environ | clock.settings)
    assert child.stdout.readline() == "waiting\n"
    return child


def finish(child: subprocess.Popen) -> tuple[float, float]:
    said, _ = child.communicate(timeout=MUCH_S)
    now, took_s = map(float, said.split())
    return now, took_s


@pytest.mark.parametrize("added_s", [0, HOUR_S, -HOUR_S, -1.5])
def test_a_wrong_clock_does_not_change_a_wait(clock: Clock, added_s: float):
    clock.set(added_s)
    now, took_s = finish(wait(clock, 0.4))
    assert abs(now - time.time() - added_s) < MUCH_S
    assert 0.39 < took_s < MUCH_S


def test_a_clock_jump_forward_ends_a_wait(clock: Clock):
    child = wait(clock, HOUR_S / 2)
    clock.set(HOUR_S)
    _, took_s = finish(child)
    assert took_s < MUCH_S


def test_a_clock_jump_back_makes_a_wait_longer(clock: Clock):
    child = wait(clock, 3)
    clock.set(-HOUR_S)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(timeout=4)
    clock.set(0)
    _, took_s = finish(child)
    assert took_s >= 4
