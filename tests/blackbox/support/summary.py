"""summary - a pytest plugin: ends cleanly on SIGTERM and prints the line that the runner counts."""

import signal

import pytest


def pytest_sessionstart(session: pytest.Session) -> None:
    # As Ctrl-C: a wait that takes exceptions for "not yet" lets this one pass.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter) -> None:
    stats = terminalreporter.stats
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    terminalreporter.write_line(f"{len(stats.get('passed', []))} passed, {failed} failed")
