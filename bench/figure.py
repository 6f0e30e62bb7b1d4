"""figure - one number for several samples: the median, the least and the most."""

import statistics
from dataclasses import dataclass


@dataclass
class Figure:
    median: float
    low: float
    high: float
    count: int = 1


def figure(samples: list[dict], *path: str, scale: float = 1) -> Figure:
    """From the value at a path in each sample: "saved_us", "p50"."""
    values = []
    for value in samples:
        for name in path:
            value = value[name]
        values.append(value * scale)
    return Figure(statistics.median(values), min(values), max(values), len(values))


def total(samples: list[dict], name: str) -> int:
    return sum(sample.get(name, 0) for sample in samples)
