"""history - part (i): a page of a conversation among ten million messages."""

import random

import fill
import reads
from bench import Bench, number, say
from many import Plain, timed

EACH = 100_000
PAGES = 500


def history(bench: Bench) -> dict:
    rows = number("BENCH_MESSAGES", 10_000_000, EACH, 1_000_000_000)
    stack = bench.stack
    with open(bench.people.signed_up(), encoding="ascii") as file:
        user, token = file.readline().split()
    say(f"(i) filling in {rows:,} messages")
    stack.call("stop", "persistence-service")
    fill.many_messages(stack, int(user), rows, EACH)
    stack.call("start", "persistence-service")
    talks = [(talk, EACH) for talk in
             range(1, min(fill.TALKS_OF_READER, rows // EACH) + 1)]
    say("(i) pages of 50")
    reads.pages(stack, token, talks, PAGES)  # both then find the same pages in memory
    result = {"rows": rows, "pages": bench.repeat(
        lambda _: reads.pages(stack, token, talks, PAGES))}
    chance = random.Random(1)
    with Plain(stack) as plain:
        result["plain"] = timed(PAGES, lambda at: plain.page(
            talks[at % len(talks)][0], chance.randint(51, EACH)))
    return result
