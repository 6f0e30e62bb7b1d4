"""The test kills a service before and after each step of a message while many users chat.

The points are the FAULT_POINT(…) of the services; docs/ARCHITECTURE.md, "The life of a
message", has the steps. See README.md.
"""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import pytest

from support.background import in_background
from support.load import SAVED, Load, one_line
from support.own_programs import OwnPrograms
from support.points import Point, all_points
from support.stack import ROOT, Stack

BUILD = ROOT / os.environ.get("PARLEY_BUILD", "build/faults")
DEATHS = 2
SAVED_BETWEEN = 100  # messages between the kills at two points
RUNS = 2  # simultaneous runs of the ledger, each on its own stack
# The time of a point beside other points: after a gateway's death every client reconnects.
COST = {"persistence-service": 1, "websocket-service": 2}
# A gateway passes these points only while saving is slow, so the test stops persistence.
NEED_SLOW_SAVING = ("accepted.before",)
# The test ends the ledger; the times are bounds on hanging.
LEDGER = {"users": 12, "sockets": 2, "rate": 150, "seconds": 3600, "churn": 120,
          "list_max": 5, "receipts": 1000, "cuts": 0, "calm": 600, "drain": 600}
VERDICT_S, READY_S, RUN_S = 1500, 240, 3000

pytestmark = pytest.mark.timeout(RUN_S)


@dataclass
class Run:
    """The result of one run of the ledger."""

    points: list[tuple[str, str]]  # program and name
    trouble: dict[str, Exception] = field(default_factory=dict)  # point -> error
    verdict: dict = field(default_factory=dict)


def run_points(number: int, points: list[tuple[str, str]]) -> Run:
    """Kills at all these points on one stack."""
    run = Run(points)
    # A limit so low that a group of the ledger becomes a large conversation.
    stack = OwnPrograms(f"steps-{number}", BUILD, {"FANOUT_LIST_MAX": "5"})
    try:
        stack.up()
        with Load(stack, **LEDGER) as load:
            load.wait_sending()
            for program, name in points:
                try:
                    with load.cuts() if program == "websocket-service" else nullcontext():
                        die_at(stack, Point(stack, program, name))
                except Exception as error:
                    run.trouble[name] = error
                load.wait_sockets()
                load.wait_more(SAVED, SAVED_BETWEEN)
            load.stop_sending()
            run.verdict = load.verdict(VERDICT_S)
    finally:
        stack.down()
    return run


def die_at(stack: Stack, point: Point) -> None:
    try:
        for _ in range(DEATHS):
            die_once(stack, point)
    finally:
        point.disarm()


def die_once(stack: Stack, point: Point) -> None:
    if point.name in NEED_SLOW_SAVING:
        with slow_saving(stack):
            point.arm()
            point.wait_killed()
    else:
        point.arm()
        point.wait_killed()
    stack.wait_ready(READY_S)


@contextmanager
def slow_saving(stack: Stack) -> Iterator[None]:
    persistence = stack.pid("persistence-service")
    os.kill(persistence, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(persistence, signal.SIGCONT)


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest) -> dict[tuple[str, str], Future]:
    """Point -> its run, for the tests that pytest selected."""
    chosen = [(item.callspec.params["program"], item.callspec.params["name"])
              for item in request.session.items if hasattr(item, "callspec")]
    found: dict[tuple[str, str], Future] = {}
    for number, points in enumerate(filter(None, shared_out(chosen))):
        found |= dict.fromkeys(points, in_background(run_points, number, points))
    return found


def shared_out(points: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Distributes the points so that all runs take about as long."""
    shares: list[list[tuple[str, str]]] = [[] for _ in range(RUNS)]
    for point in sorted(points, key=lambda point: -COST[point[0]]):
        min(shares, key=lambda share: sum(COST[program] for program, _ in share)).append(point)
    return shares


def test_each_step_has_a_fault_point():
    names = [name for _, name in all_points()]
    assert len(names) == len(set(names)) and len(names) >= 20, names


@pytest.mark.parametrize("program,name", all_points())
def test_a_kill_at_each_point_loses_nothing(runs: dict[tuple[str, str], Future], program: str,
                                            name: str):
    run: Run = runs[program, name].result(RUN_S)
    assert name not in run.trouble, run.trouble[name]
    assert run.verdict["verdict"] == "clean", \
        f"in one run with {', '.join(one for _, one in run.points)}: {one_line(run.verdict)}"
    assert run.verdict["accepted"] > 0
