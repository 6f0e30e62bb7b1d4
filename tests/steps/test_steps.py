"""Each step of a message is killed, before and after, while many people chat.

The points are FAULT_POINT(…) in the services; see docs/ARCHITECTURE.md, "The life of a
message". Each is one run of the ledger (tests/ledger), with two deaths in it.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support.load import Load
from support.points import Point, all_points
from support.stack import Stack

DEATHS = 2
# Passed only while saving takes long: persistence is stopped until the point has killed.
NEED_SLOW_SAVING = ("accepted.before",)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    # So few that those who come to a group of the ledger make it a room.
    stack = Stack("steps", {"FANOUT_LIST_MAX": "5"})
    try:
        yield stack.up()
    finally:
        stack.down()


@contextmanager
def slow_saving(stack: Stack) -> Iterator[None]:
    saver = stack.pid("persistence-service")
    os.kill(saver, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(saver, signal.SIGCONT)


def die_once(stack: Stack, point: Point) -> None:
    if point.name in NEED_SLOW_SAVING:
        with slow_saving(stack):
            point.arm()
            point.wait_killed()
    else:
        point.arm()
        point.wait_killed()
    stack.wait_ready(60)


def test_the_steps_have_points():
    names = [name for _, name in all_points()]
    assert len(names) == len(set(names)) and len(names) >= 20, names


@pytest.mark.parametrize("program,name", all_points())
def test_killed_at(stack: Stack, program: str, name: str):
    stack.wait_ready(60)
    point = Point(stack, program, name)
    try:
        with Load(stack, users=12, sockets=2, rate=150, seconds=60, churn=120,
                  list_max=5, receipts=1000) as load:
            load.wait_sending()
            for _ in range(DEATHS):
                die_once(stack, point)
            load.stop_sending()
            verdict = load.assert_clean()
    finally:
        point.disarm()
    assert verdict["accepted"] > 0
