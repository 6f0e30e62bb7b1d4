"""reports - checks the reports of sanitizers and valgrind.

Each process writes a file into the folder of its stack. A file with a finding
fails the run, even when all tests passed. Builds without sanitizers write none.
A killed process does not report leaks; earlier findings are in its file.
"""

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "build" / "test-logs" / "reports"
SERVICES = ("identity-service", "websocket-service", "persistence-service")
CLEAN = "ERROR SUMMARY: 0 errors"
COMMAND = re.compile(r"^==\d+== Command: (.*)$", re.M)


def options(name: str) -> dict[str, str]:
    # No service uses exit code 66 itself.
    common = f"log_path={FOLDER / name}/sanitizer:log_exe_name=1:exitcode=66"
    return {
        "ASAN_OPTIONS": f"{common}:detect_leaks=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": f"{common}:suppressions={ROOT}/tests/support/tsan.supp",
        "VALGRIND_REPORTS": str(FOLDER / name),  # build/valgrind/* write there
    }


OPTIONS = tuple(options(""))


def start(name: str) -> None:
    """Processes started from now on write their reports to this folder, now empty."""
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    (FOLDER / name).mkdir(parents=True)
    join(name)


def join(name: str) -> None:
    """The same for a stack that another process keeps up; that process checks the reports."""
    os.environ |= options(name)


def check(name: str, build: str) -> None:
    """Call it when the stack is down."""
    texts = {path: path.read_text("utf-8", "replace")
             for path in sorted((FOLDER / name).glob("*"))}
    bad = [f"{path}:\n{text[:6000]}" for path, text in texts.items() if not is_clean(text)]
    bad += [f"valgrind saw no {service} through to its end" for service in SERVICES
            if build.endswith("/valgrind") and not watched(service, texts.values())]
    if bad:
        raise AssertionError("\n".join(bad))


def is_clean(text: str) -> bool:
    """Only valgrind writes a file without findings; a killed one has no summary."""
    return CLEAN in text or bool(COMMAND.search(text)) and " at 0x" not in text


def watched(program: str, texts) -> bool:
    return any(CLEAN in text and COMMAND.search(text)[1].split()[0].endswith(f"/{program}")
               for text in texts)
