"""timeline - reads the ledger's --timeline file: its counts for each second."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Second:
    """One row."""

    second: int  # unix time
    sent: int  # first sent in this second
    acked: int  # first answered `accepted` or `saved` in this second
    acked_after_5s: int  # sent in this second and answered within five
    saved: int
    received: int
    retryable_errors: int
    connects: int


def read(path: Path) -> list[Second]:
    with open(path, newline="", encoding="ascii") as file:
        return [Second(**{name: int(value) for name, value in row.items()})
                for row in csv.DictReader(file)]


def total(timeline: list[Second], fits: Callable[[Second], bool], column: str) -> int:
    return sum(getattr(row, column) for row in timeline if fits(row))


def drained_at(timeline: list[Second], after: float) -> int | None:
    """The first second in which all messages sent two seconds earlier are saved."""
    sent: list[int] = []
    sum_sent = sum_saved = 0
    for row in timeline:
        sum_sent += row.sent
        sum_saved += row.saved
        sent.append(sum_sent)
        if row.second > after and sum_saved >= sent[max(0, len(sent) - 3)]:
            return row.second
    return None


def first_with(timeline: list[Second], after: float, column: str) -> int | None:
    """The first second from `after` on with a count above 0 in that column."""
    return next((row.second for row in timeline
                 if row.second >= after and getattr(row, column)), None)
