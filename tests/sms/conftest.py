"""Fixtures: the stack, Prism and WireMock."""

import signal
import sys
from collections.abc import Iterator

import pytest

from support.stack import Stack
from support.with_stack import test_stack

from servers import Prism, WireMock


def pytest_sessionstart(session: pytest.Session) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def pytest_terminal_summary(terminalreporter) -> None:
    """The line that the runner counts."""
    stats = terminalreporter.stats
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    terminalreporter.write_line(f"{len(stats.get('passed', []))} passed, {failed} failed")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with test_stack("sms") as stack:
        yield stack


@pytest.fixture(scope="session")
def prism(stack: Stack) -> Iterator[Prism]:
    with Prism(stack) as prism:
        yield prism


@pytest.fixture(scope="session")
def running_wiremock(stack: Stack) -> Iterator[WireMock]:
    with WireMock(stack) as wiremock:
        yield wiremock


@pytest.fixture
def wiremock(running_wiremock: WireMock) -> WireMock:
    running_wiremock.reset()
    return running_wiremock
