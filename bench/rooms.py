"""rooms - part (g): one message to all members of a room."""

import time

import usage
from bench import Bench, say
from client import Spending
from crowd import Crowd, Floor
from people import minted_ids
from room import Events, Lines, Room

# sockets → messages in flight at the maximum, messages a second at fixed times
SIZES = {1000: (16, 10), 10000: (4, 2)}


def room(bench: Bench) -> dict:
    result = {}
    for size, (in_flight, rate) in SIZES.items():
        say(f"(g) a room of {size} sockets")
        result[str(size)] = room_of(bench, size, in_flight, rate)
    return result


def room_of(bench: Bench, size: int, in_flight: int, rate: float) -> dict:
    with Crowd(bench.crowd("room", "WEBSOCKET_PORT", size)) as crowd:
        events = Events(bench.stack, minted_ids(size))
        room_here = Room(crowd, events)
        room_here.flat_out(in_flight, bench.room_s)  # the JVM compiles Kafka's code meanwhile
        most = bench.repeat(lambda _: spent(bench, crowd,
                                            lambda: room_here.flat_out(in_flight, bench.room_s)))
        steady = bench.repeat(lambda _: room_here.steady(rate, int(rate * 2 * bench.room_s)))
    with Floor(bench.client()) as floor, Crowd(bench.crowd("room", floor.url, size)) as crowd:
        room_there = Room(crowd, Lines(floor))
        limit = bench.repeat(lambda _: room_there.flat_out(in_flight, bench.room_s))
        floor_steady = bench.repeat(
            lambda _: room_there.steady(rate, int(rate * 2 * bench.room_s)))
    return {"most": most, "steady": steady, "floor": limit, "floor_steady": floor_steady}


def spent(bench: Bench, crowd: Crowd, measure) -> dict:
    """The result with the CPU seconds of every program."""
    spending = Spending(bench.stack)
    client = usage.cpu_s([crowd.process.pid])
    own = time.process_time()
    result = measure() | spending.so_far(usage.cpu_s([crowd.process.pid]) - client)
    result["cpu_s"]["producer"] = round(time.process_time() - own, 3)
    result["cpu_s"]["others"] = max(0.0, result["cpu_s"]["others"] -
                                    result["cpu_s"]["producer"])
    return result
