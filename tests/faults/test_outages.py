"""A check of an outage fails when the expected behaviour does not occur."""

import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest

from nemesis import outages
from nemesis.outages import GROWTH_MAX, Outage, accepts_meanwhile, accepts_nothing, judge_answers
from nemesis.report import Report
from support.load import ACCEPTED, SENT, Load

RATE = 10
GOOD = {"sent": 100, "to_rooms": 20, "accepted": 95, "unknown": 0}


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(tmp_path)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "SHOWN_S", 1)


class Script(Load):
    """A ledger with given progress lines: each call returns one more."""

    def __init__(self, accepted: list[int]):
        self.pace = SimpleNamespace(rate=RATE)
        self.lines = [f"ledger: 1 s: sent {at}, accepted {count}, saved 0,\n"
                      for at, count in enumerate(accepted)]
        self.asked = itertools.count(1)

    def log(self) -> str:
        return "".join(self.lines[:next(self.asked)])


def outage(ledger: Load, report: Report, refused: bool = True, grown: int = 0) -> Outage:
    counts = itertools.count()
    cluster = SimpleNamespace(metric=lambda *_: next(counts) if refused else 0)
    made = Outage(cluster, SimpleNamespace(name="down"), ledger, 0.0, report)
    made.growth = SimpleNamespace(look=lambda: None, most=grown)
    return made


def test_the_progress_lines_of_the_ledger_are_parsed():
    text = Script([3, 5]).lines[1]
    assert SENT.findall(text) == ["1"] and ACCEPTED.findall(text) == ["5"]


@pytest.mark.parametrize(("change", "failed"), [
    ({}, 0),
    ({"unknown": 1}, 1),
    ({"accepted": 79}, 1),
    ({"accepted": 79, "unanswered_kept": 1}, 0),
    ({"sent": 0, "to_rooms": 0, "accepted": 0}, 2),
])
def test_a_send_that_is_never_answered_fails(report: Report, change: dict, failed: int):
    judge_answers(GOOD | change, "a test", report)
    assert report.failed == failed


@pytest.mark.parametrize(("accepted", "failed"), [([0, 5, 10, 15, 20, 25, 30], 0), ([7] * 9, 1)])
def test_without_mariadb_sends_are_accepted(report: Report, accepted: list[int], failed: int):
    accepts_meanwhile(outage(Script(accepted), report))
    assert report.failed == failed


@pytest.mark.parametrize(("accepted", "failed"), [
    ([4, 8, 9, 9, 9, 9, 9, 9], 0),
    ([4, 8, 9, 9, 9, 10, 11, 12], 1),
    (list(range(10_000)), 2),
])
def test_an_accepted_send_without_kafka_is_reported(report: Report, accepted: list[int],
                                                    failed: int):
    accepts_nothing(outage(Script(accepted), report))
    assert report.failed == failed


def test_a_gateway_that_refuses_nothing_is_reported(report: Report):
    accepts_nothing(outage(Script([9] * 9), report, refused=False))
    assert report.failed == 1


def test_a_gateway_that_grows_too_far_is_reported(report: Report):
    accepts_nothing(outage(Script([9] * 9), report, grown=GROWTH_MAX + 1))
    assert report.failed == 1


