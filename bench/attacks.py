#!/usr/bin/env python3
"""attacks MODE HOST:PORT TOKENS - attacks a gateway until stdin ends.

MODE is slow, half or flood; TOKENS a file of "ID TOKEN" lines, the attackers last.
Prints "ready" when all its sockets are in place, and at the end a report as one JSON
object. It is niced, and its rates are bounded: the measurement is about the gateway's
defence, not about shares of the processor.
"""

import json
import os
import resource
import select
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/blackbox"))

from support.raw import CONTINUATION, PING, TEXT, RawSocket, frame  # noqa: E402

USERS = 20  # the last ones of the file
SLOW_READERS = 100
SLOW_TEXT_BYTES = 16000
SLOW_TEXTS_PER_S = 10  # each goes to all sockets: 16 MB/s from the gateway
SLOW_OPENED_PER_S = 30  # at first, so that the gateway closes them one by one later
HALF_OPEN = 1000
HALF_OPENED_PER_S = 100  # at first; the same
HALF_HEAD = b"GET /ws HTTP/1.1\r\nHost: half\r\nUpgrade: websocket\r\nX-Slow: "
FLOODERS = 8
FLOOD_BYTES = 65536  # between two looks whether the gateway has closed the socket
FLOOD_PAUSE_S = 0.1  # from one connection of a flooder to its next
EDGE_FRAGMENTS_PER_S = 900  # just within the limits, a write each
EDGE_PINGS_PER_S = 18
TOP_UP_S = 0.05


class Pace:
    """A fixed number a second from now on."""

    def __init__(self, per_s: float):
        self.per_s, self.start, self.taken = per_s, time.monotonic(), 0

    def allows(self) -> bool:
        if self.taken >= (time.monotonic() - self.start) * self.per_s:
            return False
        self.taken += 1
        return True


class Attack:
    def __init__(self, address: str, tokens: str):
        self.host, port = address.split(":")
        self.port = int(port)
        with open(tokens, encoding="ascii") as file:
            self.users = [line.split() for line in file][-USERS:]
        self.done = threading.Event()
        self.count: dict[str, int] = {}
        self.lock = threading.Lock()

    def counted(self, what: str, number: int = 1) -> None:
        with self.lock:
            self.count[what] = self.count.get(what, 0) + number

    def upgraded(self, user: int, receive_bytes: int = 0) -> RawSocket:
        raw = RawSocket(f"ws://{self.host}:{self.port}/ws", receive_bytes=receive_bytes)
        answer = raw.upgrade(self.users[user][1])
        if answer.status != 101:
            raise ConnectionError(f"refused with {answer.status}")
        raw.next(TEXT)
        self.counted("opened")
        return raw


# --- slow readers -----------------------------------------------------------------
def slow(attack: Attack, ready: threading.Event) -> None:
    """All sockets belong to one user, so each text goes to all; a closed one reconnects."""
    threading.Thread(target=feed, args=(attack,), daemon=True).start()
    poll, readers, pace = select.poll(), {}, Pace(SLOW_OPENED_PER_S)
    while not attack.done.is_set():
        while len(readers) < SLOW_READERS and (ready.is_set() or pace.allows()):
            raw = attack.upgraded(0, receive_bytes=4096)
            readers[raw.tcp.fileno()] = raw
            poll.register(raw.tcp, select.POLLRDHUP)
        if pace.taken >= SLOW_READERS:
            ready.set()
        for number, _ in poll.poll(TOP_UP_S * 1000):
            poll.unregister(number)
            readers.pop(number).tcp.close()
            attack.counted("closed by the gateway")


def feed(attack: Attack) -> None:
    raw, number = attack.upgraded(1), 0
    start, text = time.monotonic(), "x" * SLOW_TEXT_BYTES
    raw.tcp.settimeout(0)
    while not attack.done.is_set():
        number += 1
        uuid = f"{int(time.time()):08x}-0000-4000-8000-{number:012x}"
        line = json.dumps({"uuid": uuid, "user_to": int(attack.users[0][0]), "message": text})
        raw.tcp.settimeout(10)
        raw.send(frame(TEXT, line.encode()))
        raw.tcp.settimeout(0)
        try:
            while raw.tcp.recv(65536):
                pass
        except BlockingIOError:
            pass
        attack.counted("texts to all of them")
        attack.done.wait(max(0.0, start + number / SLOW_TEXTS_PER_S - time.monotonic()))


# --- half-open handshakes -------------------------------------------------------------
def half(attack: Attack, ready: threading.Event) -> None:
    poll, halves, pace = select.poll(), {}, Pace(HALF_OPENED_PER_S)
    while not attack.done.is_set():
        while len(halves) < HALF_OPEN and (ready.is_set() or pace.allows()):
            one = socket.create_connection((attack.host, attack.port), timeout=10)
            one.sendall(HALF_HEAD)
            halves[one.fileno()] = one
            poll.register(one, select.POLLRDHUP)
            attack.counted("opened")
        if pace.taken >= HALF_OPEN:
            ready.set()
        for number, _ in poll.poll(TOP_UP_S * 1000):
            poll.unregister(number)
            halves.pop(number).close()
            attack.counted("closed by the gateway")


# --- floods of frames -------------------------------------------------------------------
def many(piece: bytes) -> bytes:
    return piece * (FLOOD_BYTES // len(piece))


FLOODS = [
    frame(TEXT, b" ", fin=False) + many(frame(CONTINUATION, b" ", fin=False)),
    frame(TEXT, b"", fin=False) + many(frame(CONTINUATION, b"", fin=False)),
    frame(TEXT, b" ", fin=False) + 2 * many(frame(CONTINUATION, b" " * 1024, fin=False)),
    many(frame(PING)),
]


def flood(attack: Attack, ready: threading.Event) -> None:
    """Half of the users exceed the limits, are closed and reconnect; half stay within."""
    threads = [threading.Thread(target=work, args=(attack, number), daemon=True)
               for work in (over, within) for number in range(FLOODERS)]
    for thread in threads:
        thread.start()
    ready.set()
    attack.done.wait()
    for thread in threads:
        thread.join(timeout=5)


def over(attack: Attack, number: int) -> None:
    data = FLOODS[number % len(FLOODS)]
    while not attack.done.wait(FLOOD_PAUSE_S):
        try:
            with attack.upgraded(2 + number) as raw:
                raw.tcp.settimeout(1)
                while True:
                    raw.send(data)
                    attack.counted("flood bytes", len(data))
                    while raw.receive()[0] != 8:
                        pass
                    attack.counted("closed by the gateway")
                    break
        except (OSError, EOFError):
            attack.counted("cut off")


def within(attack: Attack, number: int) -> None:
    """Short bursts of single writes, with a pause every 10 ms: Python can do no better."""
    raw, start, ticks = attack.upgraded(2 + FLOODERS + number), time.monotonic(), 0
    each, asked = max(1, EDGE_FRAGMENTS_PER_S // 100), EDGE_PINGS_PER_S / 100
    fragment, open_one = frame(CONTINUATION, b"", fin=False), True
    raw.send(frame(TEXT, b"", fin=False))
    while not attack.done.is_set() and open_one:
        ticks += 1
        for _ in range(each):
            raw.send(fragment)
        if int(ticks * asked) > int((ticks - 1) * asked):
            raw.send(frame(PING))
        attack.counted("fragments within the limits", each)
        attack.done.wait(max(0.0, start + ticks / 100 - time.monotonic()))
    raw.tcp.close()


def main() -> int:
    mode, address, tokens = sys.argv[1:]
    os.nice(19)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    attack, ready = Attack(address, tokens), threading.Event()
    work = threading.Thread(target={"slow": slow, "half": half, "flood": flood}[mode],
                            args=(attack, ready), daemon=True)
    work.start()
    if not ready.wait(60):
        return 1
    print("ready", flush=True)
    sys.stdin.read()
    attack.done.set()
    work.join(timeout=10)
    print(json.dumps(attack.count), flush=True)
    return 0


sys.exit(main())
