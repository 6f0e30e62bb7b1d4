#!/usr/bin/env python3
"""attacks MODE GATEWAY PERSISTENCE TOKENS - attacks a gateway, or the REST of persistence,
until stdin ends.

MODE is slow, half, flood or slow-rest; GATEWAY and PERSISTENCE are HOST:PORT; TOKENS is a file
of "ID TOKEN" lines, the attackers last.
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
import urllib.request
import uuid
from collections.abc import Callable

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
REST_READERS = 200
REST_TEXTS = 200  # a page
REST_TEXT = "\1" * 10000  # a byte takes six in JSON: a page has 12 MB
REST_OPENED_PER_S = 50  # at first; the same
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
    def __init__(self, gateway: str, persistence: str, tokens: str):
        self.host, port = gateway.split(":")
        self.port = int(port)
        self.rest = persistence
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
    keep_open(attack, ready, SLOW_READERS, SLOW_OPENED_PER_S,
              lambda: attack.upgraded(0, receive_bytes=4096), "closed by the gateway")


def keep_open(attack: Attack, ready: threading.Event, count: int, per_s: int,
              opened: Callable[[], RawSocket], closed: str) -> None:
    """Holds `count` sockets that read nothing, and opens another one for each that is closed."""
    poll, readers, pace = select.poll(), {}, Pace(per_s)
    while not attack.done.is_set():
        while len(readers) < count and (ready.is_set() or pace.allows()):
            raw = opened()
            readers[raw.tcp.fileno()] = raw
            poll.register(raw.tcp, select.POLLRDHUP)
        if pace.taken >= count:
            ready.set()
        for number, _ in poll.poll(TOP_UP_S * 1000):
            poll.unregister(number)
            readers.pop(number).tcp.close()
            attack.counted(closed)


def feed(attack: Attack) -> None:
    raw, number = attack.upgraded(1), 0
    start, text = time.monotonic(), "x" * SLOW_TEXT_BYTES
    raw.tcp.settimeout(0)
    while not attack.done.is_set():
        number += 1
        line = json.dumps({"uuid": str(uuid.uuid4()), "user_to": int(attack.users[0][0]), "message": text})
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


# --- slow readers of REST ----------------------------------------------------------
def slow_rest(attack: Attack, ready: threading.Event) -> None:
    """Each asks for the largest page of history, and reads nothing."""
    path = f"/conversations/{fill_group(attack)}/messages?limit={REST_TEXTS}"

    def opened() -> RawSocket:
        token = attack.users[attack.count.get("opened", 0) % USERS][1]
        raw = RawSocket(f"http://{attack.rest}{path}", receive_bytes=4096)
        raw.send(f"GET {path} HTTP/1.1\r\nHost: slow\r\n"
                 f"Authorization: Bearer {token}\r\n\r\n".encode())
        attack.counted("opened")
        return raw

    keep_open(attack, ready, REST_READERS, REST_OPENED_PER_S, opened, "closed by persistence")


def fill_group(attack: Attack) -> int:
    """A group of all attackers, with a page of the texts that are longest as JSON."""
    body = json.dumps({"kind": "group", "name": "slow", "uuid": str(uuid.uuid4()),
                       "users": [int(user) for user, _ in attack.users[1:]]})
    request = urllib.request.Request(
        f"http://{attack.rest}/conversations", body.encode(),
        {"Authorization": f"Bearer {attack.users[0][1]}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        group = int(json.load(answer)["id"])
    raw = attack.upgraded(0)
    for _ in range(REST_TEXTS):
        mark = str(uuid.uuid4())
        raw.send(frame(TEXT, json.dumps({"uuid": mark, "conversation": group,
                                         "message": REST_TEXT}).encode()))
        while json.loads(raw.next(TEXT)).get("state") != "saved":
            pass
    raw.tcp.close()
    return group


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
    mode, gateway, persistence, tokens = sys.argv[1:]
    os.nice(19)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    attack, ready = Attack(gateway, persistence, tokens), threading.Event()
    modes = {"slow": slow, "half": half, "flood": flood, "slow-rest": slow_rest}
    work = threading.Thread(target=modes[mode], args=(attack, ready), daemon=True)
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
