"""summary - a pytest plugin: ends cleanly on SIGTERM and prints the line that the runner counts."""

import signal

import pytest


def pytest_sessionstart(session: pytest.Session) -> None:
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))


def pytest_terminal_summary(terminalreporter) -> None:
    stats = terminalreporter.stats
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    terminalreporter.write_line(f"{len(stats.get('passed', []))} passed, {failed} failed")
