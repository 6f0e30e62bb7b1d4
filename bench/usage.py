"""usage - CPU time and memory, from /proc."""

import os
import platform

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def stat(pid: int) -> list[str]:
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def family(pid: int) -> list[int]:
    """The process and its children, as they are now."""
    children = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if int(stat(int(name))[1]) == pid:
                children.append(int(name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return [pid, *children]


def cpu_s(pids: list[int]) -> float:
    """User and system time, all threads."""
    total = 0
    for pid in pids:
        fields = stat(pid)
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def tree_cpu_s(pid: int) -> float:
    """Of the process and all that descend from it, also of those that have ended."""
    parents, spent = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = stat(int(name))
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(name)] = int(fields[1])
        spent[int(name)] = sum(map(int, fields[11:15]))
    tree = [pid]
    for one in tree:
        tree += [child for child, parent in parents.items() if parent == one]
    return sum(spent.get(one, 0) for one in tree) / TICKS


def machine_cpu_s() -> float:
    """User and system time of all processes of this machine."""
    with open("/proc/stat", encoding="utf-8") as file:
        user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + softirq) / TICKS


def resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="utf-8") as file:
        return int(file.read().split()[1]) * PAGE


def model() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def machine() -> dict:
    return {"cores": os.cpu_count(), "cpu": model(), "kernel": platform.release(),
            "load_before": os.getloadavg()[0]}
