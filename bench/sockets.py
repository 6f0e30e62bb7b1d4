"""sockets - parts (c), (e) and (f): idle sockets, connects, storms of reconnects."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import usage
from bench import Bench, say
from crowd import Crowd, Floor

SETTLE_S = 1.0
AT_ONCE = 64
WARM_UPS = 6  # of connects, half a second each: the JVM compiles Kafka's code meanwhile
STORM_LIMIT_S = 150
LOOKUPS = "parley_token_lookup_seconds_count"
HASHES = "parley_password_hash_seconds_count"
QUESTIONS = "parley_rooms_queries_total"
STEADY = ("--pairs", "10", "--rate", "50", "--size", "200")
PORTS = (("direct", "WEBSOCKET_PORT"), ("nginx", "PARLEY_PORT"))


def idle(bench: Bench) -> dict:
    """(c) the cost of sockets that only answer pings."""
    return {"direct": bench.repeat(lambda number: idle_once(bench, number))}


def idle_once(bench: Bench, number: int) -> dict:
    say(f"(c) {bench.sockets} idle sockets for {bench.idle_s} s")
    if number:
        bench.stack.restart("websocket-service")  # the memory of the old one has grown
    gateway = bench.stack.pid("websocket-service")
    before = usage.resident(gateway)
    with Crowd(bench.crowd("idle", "WEBSOCKET_PORT", bench.sockets)) as crowd:
        time.sleep(SETTLE_S)
        resident, cpu, start = usage.resident(gateway), usage.cpu_s([gateway]), time.monotonic()
        time.sleep(bench.idle_s)
        cpu = usage.cpu_s([gateway]) - cpu
        took = time.monotonic() - start
    return crowd.opened | {
        "resident_before": before, "resident_after": resident, "cpu_s": round(cpu, 3),
        "bytes_per_socket": round((resident - before) / bench.sockets, 1),
        "core_share_per_10000": round(cpu / took * 10000 / bench.sockets, 5)}


def connect(bench: Bench) -> dict:
    """(e) from connect() to `welcome`, each socket with a new token."""
    count = bench.connects
    used = bench.crowd_max  # identity knows the tokens before from other parts
    last = used + (WARM_UPS + 2 * bench.repeats) * count
    fresh = iter(range(used, last, count))
    result = {}
    bench.people.minted(last)
    say("warming up")
    for _ in range(WARM_UPS):
        connect_once(bench, PORTS[0][1], next(fresh))
    for name, port in PORTS:
        say(f"(e) {count} sockets, {AT_ONCE} at a time, {name}")
        result[name] = bench.repeat(lambda _: connect_once(bench, port, next(fresh)))
    say("the same against the floor")
    with Floor(bench.client()) as floor:
        result["floor"] = bench.repeat(lambda _: bench.client(minted=True).run(
            "connect", floor.url, "--sockets", str(count), "--at-once", str(AT_ONCE)))
    return result


def connect_once(bench: Bench, port: str, first: int) -> dict:
    before = bench.stack.metrics("WEBSOCKET_ADMIN_PORT")[QUESTIONS]
    result = bench.client(minted=True).run(
        "connect", bench.stack.url(port), "--sockets", str(bench.connects),
        "--at-once", str(AT_ONCE), "--from", str(first))
    asked = bench.stack.metrics("WEBSOCKET_ADMIN_PORT")[QUESTIONS] - before
    return result | {"users_per_question": round(bench.connects / asked, 2)}


def storm(bench: Bench) -> dict:
    """(f) all sockets cut at once: by the gateway's death, and by the clients."""
    result = {}
    for name, port in PORTS:
        say(f"(f) {bench.sockets} sockets cut at once, {name}")
        with Crowd(bench.crowd("storm", port, bench.sockets)) as crowd:
            result[f"killed_{name}"] = bench.repeat(lambda _: storm_once(bench, crowd, True))
            result[f"cut_{name}"] = bench.repeat(lambda _: storm_once(bench, crowd, False))
    say("(f) a steady load, alone and beside a storm")
    with Crowd(bench.crowd("storm", PORTS[0][1], bench.sockets)) as crowd:
        result["beside"] = bench.repeat(lambda _: beside_once(bench, crowd))
    return result


def beside_once(bench: Bench, crowd: Crowd) -> dict:
    """What a storm, which is all queries for persistence, does to messages meanwhile."""
    port = PORTS[0][1]
    quiet = bench.pairs(port, list(STEADY), bench.short)
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(bench.pairs, port, list(STEADY), bench.short)
        crowd.order("cut")
        back = crowd.answer(STORM_LIMIT_S)
        stormy = load.result()
    times = quiet["saved_us"], stormy["saved_us"]
    return back | {"quiet": quiet, "stormy": stormy,
                   "p99_factor": round(times[1]["p99"] / max(1, times[0]["p99"]), 3)}


def storm_once(bench: Bench, crowd: Crowd, kill: bool) -> dict:
    before = bench.stack.metrics("IDENTITY_ADMIN_PORT")
    if kill:
        os.kill(bench.stack.pid("websocket-service"), signal.SIGKILL)
    else:
        crowd.order("cut")
    result = crowd.answer(STORM_LIMIT_S)
    after = bench.stack.metrics("IDENTITY_ADMIN_PORT")
    return result | {"tokens": bench.sockets,
                     "lookups": int(after[LOOKUPS] - before[LOOKUPS]),
                     "hashes": int(after[HASHES] - before[HASHES])}
