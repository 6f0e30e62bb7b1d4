"""process_memory - what a process holds, in bytes."""

from pathlib import Path


def resident(pid: int) -> int:
    return status_field(pid, "VmRSS")


def most_resident(pid: int) -> int:
    """Since the process started."""
    return status_field(pid, "VmHWM")


def is_own(program: Path) -> bool:
    """False where a sanitizer holds back what the process frees, and has memory of its own."""
    return "release" in program.parts


def status_field(pid: int, field: str) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith(field + ":"))
    return int(line.split()[1]) << 10
