"""Autobahn's server cases, each under its own number. See README.md."""

import re
from pathlib import Path

import pytest

from cases import CASES
from conftest import verdicts
from judge import OK, Judge
from steps import Case

README = Path(__file__).with_name("README.md")
# Number of cases of each section in the original.
SECTIONS = {1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37, 9: 54, 10: 1}


def test_every_case_of_the_original_is_present():
    counted = {section: 0 for section in SECTIONS}
    for case in CASES:
        counted[int(case.number.split(".")[0])] += 1
    assert counted == SECTIONS
    assert len({case.number for case in CASES}) == len(CASES)


def test_the_readme_lists_every_difference():
    """README.md and the code list the same cases with another outcome."""
    section = README.read_text("utf-8").split("## Cases with another outcome")[1].split("\n## ")[0]
    written = set(re.findall(r"^\| (\d+\.\d+(?:\.\d+)?(?:–\d+)?) \|", section, re.M))
    listed = set()
    for numbers in written:
        first, _, last = numbers.partition("–")
        head, _, start = first.rpartition(".")
        listed |= {f"{head}.{at}" for at in range(int(start), int(last or start) + 1)}
    assert listed == {case.number for case in CASES if case.differs}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
def test_the_gateway_gets_the_expected_verdict(case: Case, judge: Judge):
    verdicts[case.number] = verdict = judge.verdict(case)
    assert verdict.outcome == OK, f"{case.what}: {verdict.outcome}: {verdict.why}"
