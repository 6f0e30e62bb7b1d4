"""Children are started again whenever they die; a death that the test did not order is reported."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from nemesis.children import Child, Keeper
from support.stack import free_port
from support.wait import until

WAIT_S = 120  # a bound on hanging


def make_child(folder: Path, does: str) -> Child:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    stack = SimpleNamespace(settings={}, build="build/release", binary=lambda _: program,
                            free_port=free_port)
    return Child(stack, "child", "websocket-service", folder / "log")


@pytest.fixture
def child(tmp_path: Path) -> Child:
    return make_child(tmp_path, "exec sleep 1000")


@pytest.fixture
def keeper(child: Child) -> Iterator[Keeper]:
    keeper = Keeper([child]).start()
    yield keeper
    keeper.stop()


def wait_started_again(keeper: Keeper, child: Child, times: int = 1) -> None:
    until("it is started again", lambda: keeper.starts >= times
          and child.child.poll() is None, WAIT_S)


def test_a_killed_child_is_started_again_and_not_reported(keeper: Keeper, child: Child):
    killed = child.send(signal.SIGKILL)
    wait_started_again(keeper, child)
    assert child.child.pid != killed
    assert keeper.deaths == []


def test_an_unordered_death_is_reported(keeper: Keeper, child: Child):
    os.kill(child.child.pid, signal.SIGSEGV)
    wait_started_again(keeper, child)
    assert keeper.deaths == [f"child ended with {-signal.SIGSEGV}"]


def test_a_death_that_differs_from_the_order_is_reported(keeper: Keeper, child: Child):
    """sleep does not end with 0 on a SIGTERM; a service has to."""
    child.send(signal.SIGTERM)
    wait_started_again(keeper, child)
    assert len(keeper.deaths) == 1


def test_an_unordered_exit_of_a_child_is_reported(tmp_path: Path):
    child = make_child(tmp_path, "sleep 0.2")
    keeper = Keeper([child]).start()
    wait_started_again(keeper, child, 2)
    keeper.stop()
    assert keeper.deaths


def test_only_the_process_that_was_stopped_is_resumed(keeper: Keeper, child: Child):
    stopped = child.send(signal.SIGSTOP)
    until("it is stopped", lambda: state(stopped) == "T", WAIT_S)
    child.resume(stopped + 1)
    assert state(stopped) == "T"
    child.resume(stopped)
    until("it goes on", lambda: state(stopped) == "S", WAIT_S)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
