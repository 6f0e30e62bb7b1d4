"""tree - a copy of the sources and objects, so that a mutant compiles only a few files."""

import os
import shutil
import subprocess
from pathlib import Path

from mutants import Mutant, planted
from support.own_programs import copy_programs
from support.stack import ROOT

VARIANT = "faults"
FLAGS = ["CC=gcc", f"VARIANT={VARIANT}", "CFLAGS_EXTRA=-Wno-error"]


def sources() -> list[str]:
    """The files that make may read: tracked and new ones."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout
    return [path for path in listed.split("\0")
            if path and not path.startswith(("docs/", "tests/fuzz/"))]


class Tree:
    def __init__(self, folder: Path, build: Path):
        self.folder, self.original = folder, build
        shutil.rmtree(folder, ignore_errors=True)
        for path in sources():
            if (ROOT / path).is_file():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, target)
        shutil.copytree(build, folder / "build" / VARIANT, copy_function=shutil.copy2)

    def build(self, mutant: Mutant, programs: Path) -> Path:
        """The programs with this mutant, copied into a folder of their own."""
        try:
            for path, text in planted(mutant).items():
                (self.folder / path).write_text(text, "utf-8")
            self.make()
            copy_programs(self.folder / "build" / VARIANT, programs)
        finally:
            self.restore(mutant)
        return programs

    def restore(self, mutant: Mutant) -> None:
        """Copies sources and builds with their times, so that the next make reuses them."""
        for path in {path for path, _, _ in mutant.edits}:
            shutil.copy2(ROOT / path, self.folder / path)
        for made in (self.folder / "build" / VARIANT).rglob("*"):
            original = self.original / made.relative_to(self.folder / "build" / VARIANT)
            if not made.is_file():
                continue
            if not original.is_file():
                made.unlink()
            elif made.stat().st_mtime_ns != original.stat().st_mtime_ns:
                shutil.copy2(original, made)

    def make(self) -> None:
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(["nice", "make", "-j2", *FLAGS, "programs"], cwd=self.folder, env=environment,
                              text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
