"""messages - parts (a) and (b): durable messages from one person to another."""

import inserts
from bench import Bench, say
from figure import figure
from half_load import half_load

PAIRS = 100
IN_FLIGHT = 16
TEXT_BYTES = 200
RATE = 50


def durable(bench: Bench) -> dict:
    """(a) as many as go, beside plain inserts, and through nginx; then half as many."""
    who = ["--pairs", str(PAIRS), "--size", str(TEXT_BYTES)]
    words = [*who, "--in-flight", str(IN_FLIGHT)]
    result = {"inserts": bench.repeat(lambda _: plain_inserts(bench))}
    # Kafka's byte code is compiled while it runs: half of what it costs at first.
    say("warming up")
    bench.pairs("WEBSOCKET_PORT", words, bench.short)
    for name, port in (("direct", "WEBSOCKET_PORT"), ("nginx", "PARLEY_PORT")):
        say(f"(a) {PAIRS} pairs, {IN_FLIGHT} in flight each, {name}")
        length = bench.seconds if name == "direct" else bench.short
        result[name] = bench.repeat(lambda _: bench.pairs(port, words, length))
    say("(a) at half of it")
    most = figure(result["direct"], "saved_per_s").median
    result["half"] = bench.repeat(
        lambda _: half_load(bench.client(), bench.stack.url("WEBSOCKET_PORT"), who, most,
                            bench.short))
    say("plain inserts once more")
    result["inserts"] += bench.repeat(lambda _: plain_inserts(bench))
    return result


def plain_inserts(bench: Bench) -> dict:
    return inserts.measure(bench.stack, bench.seconds * 10000, PAIRS, TEXT_BYTES)


def latency(bench: Bench) -> dict:
    """(b) at fixed times, whatever comes back."""
    words = ["--pairs", "10", "--rate", str(RATE), "--size", str(TEXT_BYTES)]
    say("warming up")
    bench.pairs("WEBSOCKET_PORT", ["--pairs", str(PAIRS)], bench.short)
    result = {}
    for name, port in (("direct", "WEBSOCKET_PORT"), ("nginx", "PARLEY_PORT")):
        say(f"(b) {RATE} messages a second, {name}")
        result[name] = bench.repeat(lambda _: bench.pairs(port, words, bench.short))
    return result
