"""own_programs - a stack that runs copies of the programs.

A file beside a program arms a fault point, and a mutant replaces a program. With copies neither
affects another stack that runs at the same time.
"""

import filecmp
import shutil
from pathlib import Path

from support.stack import ROOT, SERVICES, Stack

FOLDER = ROOT / "build" / "test-programs"


def program_files(build: Path) -> list[Path]:
    """The programs of a build: each is an executable in a folder of the same name."""
    return sorted(path for path in build.glob("**/*")
                  if path.name == path.parent.name and path.is_file())


def copy_programs(build: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for program in program_files(build):
        target = folder / program.relative_to(build)
        target.parent.mkdir(parents=True)
        shutil.copy2(program, target)


class OwnPrograms(Stack):
    def __init__(self, name: str, build: Path, extra: dict[str, str] | None = None):
        folder = FOLDER / name
        copy_programs(build, folder)
        super().__init__(name, (extra or {}) | {"PARLEY_BUILD": str(folder)})
        self.folder = folder

    def use(self, build: Path) -> None:
        """Replaces the programs that differ and restarts their services."""
        for program in program_files(build):
            target = self.folder / program.relative_to(build)
            if filecmp.cmp(program, target, shallow=False):
                continue
            new = target.with_suffix(".new")
            shutil.copy2(program, new)
            new.rename(target)
            if program.name in SERVICES:
                self.restart(program.name)
        self.wait_ready()
