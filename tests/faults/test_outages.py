"""What is said of an outage is read from the timeline, and would say when it was not so."""

from dataclasses import replace
from pathlib import Path

import pytest

from nemesis.ledger import Second
from nemesis.outages import (
    GROWTH_MAX, Outage, drained_at, judge_disk, judge_kafka, judge_mariadb,
)
from nemesis.report import Report

# Gone from second 10 on, back after 20.
OUTAGE = Outage(10.0, 20.0, 21.0, 1000)
GOOD = Second(0, 100, 100, 100, 100, 200, 0, 0)


def timeline(meanwhile: Second, seconds: int = 40) -> list[Second]:
    """All is well, but as `meanwhile` says while the server is away."""
    return [replace(meanwhile if 10 <= at <= 20 else GOOD, second=at)
            for at in range(seconds)]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(tmp_path)


@pytest.mark.parametrize(("late", "failed"), [(0, 0), (1, 0), (2, 1)])
def test_without_mariadb_one_send_in_a_thousand_may_be_late(report: Report, late: int,
                                                            failed: int):
    rows = timeline(replace(GOOD, saved=0))
    rows[15] = replace(rows[15], acked_after_5s=100 - late)
    judge_mariadb(OUTAGE, rows, report)
    assert report.failed == failed


@pytest.mark.parametrize(("accepted", "failed"), [(0, 0), (1, 1)])
def test_without_kafka_nothing_is_accepted(report: Report, accepted: int, failed: int):
    rows = timeline(replace(GOOD, acked=0, saved=0))
    rows[15] = replace(rows[15], acked=accepted)
    judge_kafka(OUTAGE, rows, report)
    assert report.failed == failed
    assert report.figures["kafka_accepted_again_s"] == 0


def test_a_gateway_that_grows_too_far_is_told(report: Report):
    rows = timeline(replace(GOOD, acked=0, saved=0))
    judge_kafka(replace(OUTAGE, grown=GROWTH_MAX + 1), rows, report)
    assert report.failed == 1


def test_a_disk_that_was_never_full_shows_nothing(report: Report):
    judge_disk(OUTAGE, timeline(replace(GOOD, saved=0)), report)
    assert not report.failed
    judge_disk(OUTAGE, timeline(GOOD), report)
    assert report.failed == 1


def rows_of(sent: list[int], saved: list[int]) -> list[Second]:
    return [Second(at, one, 0, 0, two, 0, 0, 0)
            for at, (one, two) in enumerate(zip(sent, saved, strict=True))]


def test_drained_is_when_all_of_two_seconds_ago_is_saved():
    assert drained_at(rows_of([10] * 8, [10, 10, 0, 0, 0, 15, 25, 10]), 4) == 6


def test_what_is_never_saved_is_never_drained():
    assert drained_at(rows_of([10] * 8, [10, 10, 0, 0, 0, 5, 5, 5]), 4) is None
