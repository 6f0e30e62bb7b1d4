"""reports - what sanitizers and valgrind found in the programs that tests started.

Each process writes a file of its own into the folder of its stack; a file that
is no clean bill of health fails the run, whatever the tests thought of it.
Programs that were built without either pay nothing. A killed process has no time
to report its leaks; what it found until then is written.
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
    # 66 is none of our exit codes: a service that ends so has found something.
    common = f"log_path={FOLDER / name}/sanitizer:log_exe_name=1:exitcode=66"
    return {
        "ASAN_OPTIONS": f"{common}:detect_leaks=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": f"{common}:suppressions={ROOT}/tests/support/tsan.supp",
        "VALGRIND_REPORTS": str(FOLDER / name),  # build/valgrind/* write there
    }


OPTIONS = tuple(options(""))


def start(name: str) -> None:
    """What is started from now on reports to this folder, which is empty."""
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    (FOLDER / name).mkdir(parents=True)
    join(name)


def join(name: str) -> None:
    """The same for a stack that another process keeps up, and will check."""
    os.environ |= options(name)


def check(name: str, build: str) -> None:
    """After the stack is down."""
    texts = {path: path.read_text("utf-8", "replace")
             for path in sorted((FOLDER / name).glob("*"))}
    bad = [f"{path}:\n{text[:6000]}" for path, text in texts.items() if not is_clean(text)]
    bad += [f"valgrind saw no {service} through to its end" for service in SERVICES
            if build.endswith("/valgrind") and not watched(service, texts.values())]
    if bad:
        raise AssertionError("\n".join(bad))


def is_clean(text: str) -> bool:
    """Valgrind alone writes a file in any case; a killed one has no summary."""
    return CLEAN in text or bool(COMMAND.search(text)) and " at 0x" not in text


def watched(program: str, texts) -> bool:
    return any(CLEAN in text and COMMAND.search(text)[1].split()[0].endswith(f"/{program}")
               for text in texts)
