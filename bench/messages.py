"""messages - parts (a) and (b): durable messages from one user to another."""

import inserts
from bench import Bench, say
from figure import figure
from half_load import half_load

PAIRS = 100
IN_FLIGHT = 16
TEXT_BYTES = 200
RATE = 50


def durable(bench: Bench) -> dict:
    """(a) the maximum, beside plain inserts and through nginx; then half of it."""
    who = ["--pairs", str(PAIRS), "--size", str(TEXT_BYTES)]
    words = [*who, "--in-flight", str(IN_FLIGHT)]
    # The JVM compiles Kafka's byte code while it runs, which halves its cost.
    say("warming up")
    bench.pairs("WEBSOCKET_PORT", words, bench.short)
    result = {"inserts": [], "direct": []}
    # In turns, because the machine's speed differs from minute to minute.
    say(f"(a) plain inserts, and {PAIRS} pairs, {IN_FLIGHT} in flight each, direct")
    for _ in range(bench.repeats):
        result["inserts"].append(plain_inserts(bench))
        result["direct"].append(bench.pairs("WEBSOCKET_PORT", words, bench.seconds))
    result["inserts"].append(plain_inserts(bench))
    say("(a) the same through nginx")
    result["nginx"] = bench.repeat(lambda _: bench.pairs("PARLEY_PORT", words, bench.short))
    say("(a) at half of it")
    most = figure(result["direct"], "saved_per_s").median
    result["half"] = bench.repeat(
        lambda _: half_load(bench.client(), bench.stack.url("WEBSOCKET_PORT"), who, most,
                            bench.short))
    return result


def plain_inserts(bench: Bench) -> dict:
    return inserts.measure(bench.stack, bench.seconds * 10000, PAIRS, TEXT_BYTES)


def latency(bench: Bench) -> dict:
    """(b) at fixed times, whether answers arrive or not."""
    words = ["--pairs", "10", "--rate", str(RATE), "--size", str(TEXT_BYTES)]
    say("warming up")
    bench.pairs("WEBSOCKET_PORT", ["--pairs", str(PAIRS)], bench.short)
    result = {}
    for name, port in (("direct", "WEBSOCKET_PORT"), ("nginx", "PARLEY_PORT")):
        say(f"(b) {RATE} messages a second, {name}")
        result[name] = bench.repeat(lambda _: bench.pairs(port, words, bench.short))
    return result
