"""disk - a small file system for MariaDB's data that can be full.

A tmpfs over the data folder, so that nothing else on the machine is affected.
Mounting is not allowed everywhere: `why_not` has the reason.
"""

import os
import shutil
import subprocess

from support.stack import Stack

CHUNK = 1 << 20


def run(*words: str) -> str:
    """Empty when the command succeeded, else its output."""
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.strip() or f"exit {done.returncode}" if done.returncode else ""


class Disk:
    def __init__(self, stack: Stack, size_mib: int):
        self.stack, self.size_mib = stack, size_mib
        self.place = stack.run_dir / "data" / "mariadb"
        self.filler = self.place / "filler"
        self.why_not = "not mounted yet"
        # The mount of a run that was killed: no other run has these ports.
        if os.path.ismount(self.place):
            run("umount", "--lazy", str(self.place))

    def mount(self) -> None:
        """Moves MariaDB's data onto the new file system."""
        self.stack.stop("mariadb")
        aside = self.place.with_name("mariadb.aside")
        self.place.rename(aside)
        self.place.mkdir()
        self.why_not = run("mount", "-t", "tmpfs", "-o", f"size={self.size_mib}m,mode=0700",
                           "parley-faults", str(self.place))
        if self.why_not:
            self.place.rmdir()
            aside.rename(self.place)
        else:
            shutil.copytree(aside, self.place, dirs_exist_ok=True)
            shutil.rmtree(aside)
        self.stack.start("mariadb")

    def unmount(self) -> None:
        if not self.why_not:
            run("umount", "--lazy", str(self.place))

    def fill(self) -> None:
        """Takes all space to the last byte, except what MariaDB frees later."""
        with open(self.filler, "wb", buffering=0) as file:
            size = CHUNK
            while size:
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
                except OSError:
                    size //= 16

    def free(self) -> None:
        self.filler.unlink(missing_ok=True)

    def left_mib(self) -> int:
        return shutil.disk_usage(self.place).free >> 20
