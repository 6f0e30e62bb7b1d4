"""reads - the time of a page of history and of a list of conversations, one after the other.

Through one kept-alive connection, straight to persistence. The times include some 0.2 ms
of this program.
"""

import http.client
import random
import time

from stack import Stack, StackError

WARM_UP = 20


def pages(stack: Stack, token: str, conversations: list[tuple[int, int]], count: int) -> dict:
    """Pages of 50 messages before some seq, of conversations in turn."""
    choice = random.Random(1)
    return take(stack, token, [
        f"/conversations/{conversation}/messages"
        f"?before={choice.randint(51, max(52, last))}&limit=50"
        for conversation, last in (conversations[at % len(conversations)] for at in range(count))])


def lists(stack: Stack, token: str, count: int) -> dict:
    return take(stack, token, ["/conversations"] * count)


def take(stack: Stack, token: str, paths: list[str]) -> dict:
    line = http.client.HTTPConnection("127.0.0.1", int(stack.settings["PERSISTENCE_PORT"]),
                                      timeout=30)
    for path in paths[:WARM_UP]:
        ask(line, token, path)
    times = sorted(ask(line, token, path) for path in paths)
    line.close()
    return {"count": len(times), "p50_ms": round(times[len(times) // 2], 3),
            "p99_ms": round(times[len(times) * 99 // 100], 3)}


def ask(line: http.client.HTTPConnection, token: str, path: str) -> float:
    start = time.perf_counter()
    line.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = line.getresponse()
    answer.read()
    if answer.status != 200:
        raise StackError(f"GET {path}: {answer.status}")
    return 1000 * (time.perf_counter() - start)
