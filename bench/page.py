"""page - part (l): the page at `/`, in Chromium.

bench/page.mjs drives the browser and takes the times within the page. A visit, an opening and a
count of frames are taken several times, each in a browser context of its own; memory is one long
run, to which a line is fitted.
"""

import json
import os
import sys
import time
from collections.abc import Callable

import usage
from bench import Bench, say
from client import Spending
from crowd import Orders
from stack import ROOT
from watch import line

MESSAGES = 10_000  # of each of two conversations
RATE = 100  # messages a second
STEP_MESSAGES = 500
READY_LIMIT_S = 600
ANSWER_LIMIT_S = 600


class Pages(Orders):
    """Chromium, and two conversations of many messages."""

    def __init__(self, bench: Bench):
        # What `make page` uses: the packages of tests/node are beside those of Python.
        environment = os.environ | {"PARLEY_URL": bench.stack.url("PARLEY_PORT"),
                                    "PARLEY_NODE_PACKAGES": os.path.join(sys.prefix, "node")}
        # One reader for each opening, one to warm up, one for all else.
        words = [os.path.join(sys.prefix, "bin/node"), os.path.join(ROOT, "bench/page.mjs"),
                 str(MESSAGES), str(bench.repeats + 2)]
        super().__init__("bench/page.mjs", words, READY_LIMIT_S, environment)
        self.stack = bench.stack

    def ask(self, what: str, **options) -> dict:
        self.order(json.dumps({"order": what} | options))
        return self.answer(ANSWER_LIMIT_S)

    def measure(self, what: str, **options) -> dict:
        return self.spent(lambda: self.ask(what, **options))

    def spent(self, work: Callable[[], dict]) -> dict:
        """The result, with the CPU seconds of every program; the client's are Chromium's."""
        spending = Spending(self.stack)
        before = usage.tree_cpu_s(self.process.pid)
        result = work()
        return result | spending.so_far(usage.tree_cpu_s(self.process.pid) - before)


def page(bench: Bench) -> dict:
    say(f"(l) two conversations of {MESSAGES:,} messages")
    with Pages(bench) as pages:
        say("(l) first visits, reloads")
        pages.ask("visit")  # what Chromium does once
        result: dict = {"visit": bench.repeat(lambda _: pages.measure("visit"))}
        say("(l) opening a conversation")
        pages.ask("opening", turn=0)
        result["opening"] = bench.repeat(lambda turn: pages.measure("opening", turn=turn + 1))
        say(f"(l) frames while {RATE} messages a second arrive")
        result["frames"] = bench.repeat(
            lambda _: pages.measure("frames", rate=RATE, seconds=bench.short))
        say(f"(l) memory, {bench.page_minutes} minutes")
        result["memory"] = pages.spent(lambda: memory(pages, 60 * bench.page_minutes))
    return result


def memory(pages: Pages, seconds: int) -> dict:
    start = time.monotonic()
    samples = [pages.ask("begin") | {"messages": 0, "s": 0.0, "clean": True}]
    while len(samples) < 4 or time.monotonic() - start < seconds:
        now = pages.ask("step", messages=STEP_MESSAGES)
        samples.append(now | {"messages": samples[-1]["messages"] + STEP_MESSAGES,
                              "s": round(time.monotonic() - start, 1),
                              "clean": now["faults"] == 0})
    pages.ask("end")
    return {"samples": samples, "heap_per_10000": growth(samples, "heap_bytes"),
            "nodes_per_10000": growth(samples, "nodes")}


def growth(samples: list[dict], name: str) -> float:
    """With each 10,000 messages, in the second half: by then caches are full."""
    late = samples[len(samples) // 2:]
    slope, _ = line([sample["messages"] for sample in late], [sample[name] for sample in late])
    return 10_000 * slope
