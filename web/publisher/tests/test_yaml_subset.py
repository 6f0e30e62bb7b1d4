"""The reader of YAML agrees with PyYAML about all that it takes, and names what it does not."""

from pathlib import Path

import pytest
import yaml

from publisher.yaml_subset import YamlFault, load

PAPERS = Path(__file__).resolve().parents[3] / "docs" / "protocol"

TAKEN = {
    "nothing": "", "only comments": "# a\n\n# b\n", "a plain text": "hello there",
    "a map": "a: 1\nb: two\n", "deep maps": "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n",
    "a list": "- 1\n- two\n-\n- - 3\n  - 4\n", "a list in a map": "a:\n  - 1\n  - b: 2\n    c: 3\n",
    "a list as far out as its key": "a:\n- 1\n- 2\nb: 3\n",
    "numbers": "[0, -1, 12.5, 9007199254740991]", "words": "[null, ~, true, false]",
    "no value": "a:\nb: 1\n", "quoted": "'it''s': \"a\\n\\\"b\\u00e9\"",
    "quoted numbers": "'200': {a: '012345'}", "colons in a text": "a: b:c ::d\nurl: http://x.y:80/z",
    "comments behind": "a: 1 # one\nb: 'x # y' # two\nc: x#y\n",
    "flow": "a: {b: [1, {c: d}], 'e f': \"g\", h: i j}\nk: []\nl: {}\n",
    "flow with signs": "{a: -x, $ref: '#/b', c: 'd, e', f-g: h.i}",
    "a literal text": "a: |\n  one\n    two\n\n  three\nb: 1\n",
    "a literal text without an end": "a: |-\n  one # no comment\n\nb: 1\n",
    "a literal text last": "- a: |\n    one\n    - two: 3\n",
    "a folded text": "a: >-\n  one\n  two\n\n  three\nb: >\n  four\n  five\n",
    "anchors": "a: &x {b: 1}\nc: *x\nd: [*x, 2]\ne:\n  - &y\n    f: 1\n  - &z g: 2\n  - *y\n",
    "an anchor of a map": "a: &x\n  b: 1\nc: *x\n", "an anchor of a text": "a: &x b c\nd: *x\n",
    "uuids": "a: 01936f5e-8a2b-7c3d-9e4f-5a6b7c8d9e0f\n", "other alphabets": "a: Straße 🎉\nü: é\n",
}
REFUSED = {
    "a tab": "a:\n\tb: 1", "a tag": "a: !!str 1", "a second document": "a: 1\n---\nb: 2",
    "a directive": "%YAML 1.2\na: 1", "a complex key": "? a\n: b", "a merge": "<<: {a: 1}",
    "a key twice": "a: 1\na: 2", "a key twice in braces": "{a: 1, a: 2}",
    "no such anchor": "a: *b", "a truth of YAML 1.1": "a: yes", "another one": "[on]",
    "a date": "a: 2026-11-30", "a time": "a: 12:30:45", "an octal": "a: 0644", "a hexadecimal": "a: 0x1f",
    "an exponent": "a: 1e3", "a plus": "a: +1", "a point": "a: .5", "a map over lines": "a: {b: 1,\n  c: 2}",
    "a text over lines": "a: one\n  two", "an end that is missing": "a: [1, 2",
    "a text after a value": "a: 'b' c", "uneven lines": "a:\n    b: 1\n  c: 2",
    "a line too far in": "a: 1\n  b: 2", "an unknown escape": 'a: "\\x41"', "an odd header": "a: |2\n  b",
    "a key without a colon": "a: 1\nb\n", "a colon too much": "a: b: c",
    "uneven folds": "a: >\n  b\n    c\n", "a member without a value": "{a: b, c}",
}


@pytest.mark.parametrize("paper", sorted(path.name for path in PAPERS.glob("*.yaml")))
def test_the_papers_are_what_pyyaml_reads(paper: str):
    text = (PAPERS / paper).read_text("utf-8")
    assert load(text) == yaml.safe_load(text)


@pytest.mark.parametrize("what", TAKEN)
def test_what_it_takes_is_what_pyyaml_reads(what: str):
    assert load(TAKEN[what]) == yaml.safe_load(TAKEN[what])


@pytest.mark.parametrize("what", REFUSED)
def test_what_it_does_not_take_is_a_fault_with_a_line(what: str):
    with pytest.raises(YamlFault, match=r"^line \d+: "):
        load(REFUSED[what])
