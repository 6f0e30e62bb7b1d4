"""timeline - what the ledger saw, second by second: the file of its --timeline."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Second:
    """One row."""

    second: int  # unix time
    sent: int  # for the first time, in this second
    acked: int  # told `accepted` or `saved` in this second, for the first time
    acked_after_5s: int  # of those sent in this second, told within five
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
    """The first second in which all that was sent two seconds before is saved."""
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
    """The first second from `after` on with something in that column."""
    return next((row.second for row in timeline
                 if row.second >= after and getattr(row, column)), None)
