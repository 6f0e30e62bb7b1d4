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
    conversations = [(conversation, EACH) for conversation in
                     range(1, min(fill.READER_CONVERSATIONS, rows // EACH) + 1)]
    say("(i) pages of 50")
    reads.pages(stack, token, conversations, PAGES)  # both then find the same pages in memory
    result = {"rows": rows, "pages": bench.repeat(
        lambda _: reads.pages(stack, token, conversations, PAGES))}
    chance = random.Random(1)
    with Plain(stack) as plain:
        result["plain"] = timed(PAGES, lambda at: plain.page(
            conversations[at % len(conversations)][0], chance.randint(51, EACH)))
    return result
