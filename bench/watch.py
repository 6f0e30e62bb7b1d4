"""watch - memory, descriptors and threads of processes over a long time."""

import os
import threading
import time

import usage

# Below this nothing grew: an allocator's reserve always moves a little.
RSS_PERCENT_PER_HOUR = 1.0
RSS_GROWTH_BYTES = 1 << 20
# After hundreds of crowds and thousands of requests a leak is far larger.
KEPT_ALIVE = 4


def sample(pids: list[int]) -> dict:
    """All processes of a program together."""
    return {"rss": sum(usage.resident(pid) for pid in pids),
            "fds": sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids),
            "threads": sum(int(usage.stat(pid)[17]) for pid in pids)}


class Watch:
    """A thread that looks at the processes of each name every `step_s` seconds.

    It takes the lock `calm` for that: the work of its holder would spoil the figures.
    """

    def __init__(self, pids: dict[str, list[int]], step_s: float, calm: threading.Lock):
        self.pids, self.step_s, self.calm = pids, step_s, calm
        self.times: list[float] = []
        self.samples: dict[str, list[dict]] = {name: [] for name in pids}
        self.gone: list[str] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> "Watch":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        self.thread.join()

    def run(self) -> None:
        start = time.monotonic()
        while not self.over.is_set() and not self.gone:
            try:
                with self.calm:
                    now = {name: sample(pids) for name, pids in self.pids.items()}
            except (FileNotFoundError, ProcessLookupError) as error:
                self.gone.append(str(error))
                break
            self.times.append(time.monotonic() - start)
            for name, values in now.items():
                self.samples[name].append(values)
            self.over.wait(self.step_s)

    def drift(self, name: str) -> dict:
        """The second half of the samples: by then caches are full."""
        half = len(self.times) // 2
        values = self.samples[name]
        slope, level = line(self.times[half:], [value["rss"] for value in values[half:]])
        growth = slope * (self.times[-1] - self.times[half])
        percent = 100 * slope * 3600 / level
        result = {
            "rss_start": values[0]["rss"], "rss_half": values[half]["rss"],
            "rss_end": values[-1]["rss"], "rss_per_hour": round(slope * 3600),
            "rss_percent_per_hour": round(percent, 3), "rss_growth": round(growth),
            "rss_flat": percent < RSS_PERCENT_PER_HOUR or growth < RSS_GROWTH_BYTES,
        }
        for what in ("fds", "threads"):
            result |= least(what, [value[what] for value in values], half)
        result["flat"] = result["rss_flat"] and result["fds_drift"] <= KEPT_ALIVE \
            and result["threads_drift"] <= 0
        return result


def line(times: list[float], values: list[float]) -> tuple[float, float]:
    """Least squares: the growth a second, and the mean."""
    count = len(times)
    middle_time, middle = sum(times) / count, sum(values) / count
    spread = sum((at - middle_time) ** 2 for at in times)
    together = sum((at - middle_time) * (value - middle) for at, value in zip(times, values))
    return (together / spread if spread else 0.0), middle


def least(what: str, values: list[int], half: int) -> dict:
    """Connections open and close: the minimum of a quarter is what stays."""
    quarter = half + (len(values) - half) // 2
    before, after = min(values[half:quarter] or values), min(values[quarter:])
    return {f"{what}_start": values[0], f"{what}_end": after, f"{what}_drift": after - before}
