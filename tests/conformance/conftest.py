"""Fixtures: the stack and the judge; and the report."""

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from support.api import Api
from support.stack import ROOT, Stack
from support.with_stack import test_stack

from cases import CASES
from judge import FAILED, NON_STRICT, OK, Judge, Verdict

REPORT = ROOT / "build" / "conformance.json"
verdicts: dict[str, Verdict] = {}  # by the number of the case


def pytest_sessionstart(session: pytest.Session) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def pytest_terminal_summary(terminalreporter) -> None:
    """Prints the outcomes and the line that the runner counts."""
    write_report()
    counts = Counter(verdict.outcome for verdict in verdicts.values())
    differ = sum(1 for case in CASES if case.differs and case.number in verdicts)
    terminalreporter.write_line(
        f"{len(verdicts)} cases: " +
        ", ".join(f"{counts[outcome]} {outcome}" for outcome in (OK, NON_STRICT, FAILED)) +
        f"; {differ} of them answered otherwise than an echo server would")
    stats = terminalreporter.stats
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    terminalreporter.write_line(f"{len(stats.get('passed', []))} passed, {failed} failed")


def write_report() -> None:
    lines = [{"case": case.number, "what": case.what, "differs": case.differs,
              "outcome": verdicts[case.number].outcome, "why": verdicts[case.number].why}
             for case in CASES if case.number in verdicts]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(lines, indent=1, ensure_ascii=False) + "\n", "utf-8")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with test_stack("conformance") as stack:
        yield stack


@pytest.fixture(scope="session")
def judge(stack: Stack) -> Judge:
    """Connects to the gateway directly: nginx would split the bytes differently."""
    api = Api(stack.url)
    person = api.register()
    api.close()
    return Judge(f"ws://127.0.0.1:{stack.port('WEBSOCKET_PORT')}/ws", person.token, person.id)
