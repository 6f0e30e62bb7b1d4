"""Children come back whenever they die, and a death that nobody ordered is told."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from nemesis.children import Child, Keeper
from support.wait import until


def make_child(folder: Path, does: str) -> Child:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    stack = SimpleNamespace(settings={}, binary=lambda _: program)
    return Child(stack, "child", "websocket-service", folder / "log")


@pytest.fixture
def child(tmp_path: Path) -> Child:
    return make_child(tmp_path, "exec sleep 1000")


@pytest.fixture
def keeper(child: Child) -> Iterator[Keeper]:
    keeper = Keeper([child]).start()
    yield keeper
    keeper.stop()


def is_reborn(keeper: Keeper, child: Child, times: int = 1) -> None:
    until("it is started again", lambda: keeper.starts >= times
          and child.child.poll() is None, 20)


def test_who_was_killed_is_started_again_and_that_is_no_news(keeper: Keeper, child: Child):
    killed = child.send(signal.SIGKILL)
    is_reborn(keeper, child)
    assert child.child.pid != killed
    assert keeper.deaths == []


def test_a_death_that_nobody_ordered_is_told(keeper: Keeper, child: Child):
    os.kill(child.child.pid, signal.SIGSEGV)
    is_reborn(keeper, child)
    assert keeper.deaths == [f"child ended with {-signal.SIGSEGV}"]


def test_another_death_than_the_ordered_one_is_told(keeper: Keeper, child: Child):
    """sleep does not end with 0 on a SIGTERM; a service has to."""
    child.send(signal.SIGTERM)
    is_reborn(keeper, child)
    assert len(keeper.deaths) == 1


def test_one_that_ends_by_itself_is_told(tmp_path: Path):
    child = make_child(tmp_path, "sleep 0.2")
    keeper = Keeper([child]).start()
    is_reborn(keeper, child, 2)
    keeper.stop()
    assert keeper.deaths


def test_only_who_was_stopped_is_woken(keeper: Keeper, child: Child):
    stopped = child.send(signal.SIGSTOP)
    until("it is stopped", lambda: state(stopped) == "T", 5)
    child.resume(stopped + 1)
    assert state(stopped) == "T"
    child.resume(stopped)
    until("it goes on", lambda: state(stopped) == "S", 5)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
