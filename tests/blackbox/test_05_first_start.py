"""A first start prints little: make runs no program that may be missing, and a build shows its
progress.

tests/check/first-start runs a whole first start on a bare Debian.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from support.stack import FOREIGN, ROOT
from support.terminal import ROWS, Terminal

# A program that make must not run leaves a note; the fake compiler only creates its output.
CALLED = "#!/bin/sh\necho \"$0 $*\" >>{notes}\necho \"$0 was called\" >&2\nexit 1\n"
COMPILER = """#!/bin/sh
while [ $# -gt 0 ]; do
	case "$1" in
	-o) [ "$2" = /dev/null ] || : >"$2"; shift ;;
	{broken}) printf '%s\\n' 'error: line one of it' 'error: line two of it' >&2; exit 1 ;;
	esac
	shift
done
"""


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items()
            if name not in (*FOREIGN, "V", "CC", "VARIANT")}
    return kept | changes


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("goal", ["help", "layers", "-n clean", "-n deps", "-n reset"])
def test_these_goals_run_neither_pkg_config_nor_a_compiler(goal: str, tmp_path: Path):
    notes = tmp_path / "notes"
    for name in ("pkg-config", "gcc", "cc", "clang", "sed"):
        program(tmp_path / "bin" / name, CALLED.format(notes=notes))
    if goal == "help":  # its recipe runs sed
        (tmp_path / "bin" / "sed").unlink()
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(["make", *goal.split()], cwd=ROOT, env=environment(PATH=path),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert not notes.exists(), notes.read_text()


@pytest.mark.parametrize("goal", ["run", "all"])
def test_a_dry_run_needs_no_packages(goal: str, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    done = subprocess.run(["make", "-n", f"BUILD={tmp_path}/build", goal], cwd=ROOT, text=True,
                          env=environment(PKG_CONFIG_LIBDIR=str(tmp_path / "empty"),
                                          PKG_CONFIG_PATH=""), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_build_without_its_packages_names_the_install_command(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    done = subprocess.run(["make", f"BUILD={tmp_path}/build"], cwd=ROOT, capture_output=True,
                          env=environment(PKG_CONFIG_LIBDIR=str(tmp_path / "empty"),
                                          PKG_CONFIG_PATH=""), text=True, timeout=60)
    assert done.returncode != 0
    assert "deploy/install-packages" in done.stderr
    assert "was not found in the pkg-config search path" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def build(tmp_path: Path, broken: str = "none") -> list[str]:
    compiler = program(tmp_path / "cc", COMPILER.format(broken=broken))
    return ["make", "-j2", f"BUILD={tmp_path}/build", f"CC={compiler}",
            "PYTEST_FLAGS=-k 'a b' (or c)", f"{tmp_path}/build/libcommon.a"]


def test_a_build_shows_its_progress_in_one_terminal_row(tmp_path: Path):
    with Terminal(build(tmp_path), cwd=ROOT, env=environment()) as terminal:
        code, written = terminal.finish(120), terminal.written
        rows = [row for row in terminal.screen() if row]
    assert code == 0, written
    assert re.findall(r"building (\d+) of (\d+) files", "\n".join(rows)), rows
    assert len(rows) <= 2, rows  # two jobs may report in either order
    counts = [int(count) for count in re.findall(r"building (\d+) of", written)]
    totals = {int(total) for total in re.findall(r"of (\d+) files", written)}
    assert totals == {max(counts)} and sorted(counts) == list(range(1, max(counts) + 1))
    assert max(counts) > 40


def test_a_build_without_a_terminal_writes_four_lines(tmp_path: Path):
    done = subprocess.run(build(tmp_path), cwd=ROOT, env=environment(), capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 4 and all("building " in line for line in lines), lines


def test_compiler_errors_are_printed_whole(tmp_path: Path):
    with Terminal(build(tmp_path, "common/base/buf.c"), cwd=ROOT,
                  env=environment()) as terminal:
        assert terminal.finish(120) != 0
        rows = terminal.screen()
    for line in ("one", "two"):
        assert any(row.startswith(f"error: line {line} of it") for row in rows), rows
    assert len(rows) < ROWS
