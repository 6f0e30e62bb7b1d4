"""clock - the wall clock of one program (tests/faults/clock.c)."""

import mmap
import os
import struct
from pathlib import Path

from support.stack import ROOT

SHIM = ROOT / "build" / "preload" / "clock.so"
NS_PER_S = 10**9


class Clock:
    def __init__(self, file: Path):
        file.write_bytes(struct.pack("q", 0))
        self.settings = {"LD_PRELOAD": str(SHIM), "PARLEY_TEST_CLOCK": str(file)}
        with open(file, "r+b") as opened:
            self.page = mmap.mmap(opened.fileno(), os.path.getsize(file))

    def set(self, added_s: float) -> None:
        self.page[:] = struct.pack("q", int(added_s * NS_PER_S))
