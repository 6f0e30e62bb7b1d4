"""room - one message after the other to all members of a room.

A message carries the time at which it was made, on the clock that `load` reads too;
`load` reports when every member has it.
"""

import json
import time

from confluent_kafka import Producer

from crowd import Crowd, Floor
from stack import Stack, StackError

TEXT_BYTES = 200
MASK = (1 << 64) - 1
LATE_S = 20


class Events:
    """Sends through message_events, as persistence would: for each partition that
    holds a member one record, whose key lists the members and whose value is the
    frame. See docs/protocol/message_events.md."""

    def __init__(self, stack: Stack, users: list[int]):
        self.topic = stack.settings["KAFKA_TOPIC_EVENTS"]
        self.keys = keys_of(users, int(stack.settings["KAFKA_PARTITIONS"]))
        self.faults = 0
        self.producer = Producer({
            "bootstrap.servers": f"127.0.0.1:{stack.settings['KAFKA_PORT']}",
            "acks": "all", "linger.ms": 0, "socket.nagle.disable": True})

    def send(self, value: bytes) -> None:
        for partition, key in self.keys.items():
            self.producer.produce(self.topic, value, key, partition, on_delivery=self.reported)
        self.check()

    def reported(self, error, _message) -> None:
        self.faults += error is not None

    def check(self) -> None:
        self.producer.poll(0)
        if self.faults:
            raise StackError("Kafka did not take a record")


class Lines:
    """Sends through the floor: the same messages without Kafka and without keys."""

    def __init__(self, floor: Floor):
        self.floor = floor

    def send(self, value: bytes) -> None:
        self.floor.order(value.decode())

    def check(self) -> None:
        pass


class Room:
    def __init__(self, crowd: Crowd, way: Events | Lines):
        self.crowd = crowd
        self.way = way
        self.sent = self.done = 0

    def send(self) -> None:
        self.sent += 1
        self.way.send(frame(self.sent))

    def wait(self, at_most: int) -> None:
        """Waits until at most `left` messages have not reached every member."""
        while self.sent - self.done > at_most:
            line = self.crowd.line(LATE_S)
            if not line:
                raise StackError(f"message {self.done + 1} of {self.sent} did not reach all")
            self.done = int(line)
            self.way.check()

    def steady(self, rate: float, messages: int) -> dict:
        """Sends at fixed times, whether frames arrive or not."""
        start = time.monotonic()
        for number in range(messages):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            self.send()
        return self.report() | {"messages": messages, "rate": rate}

    def flat_out(self, in_flight: int, seconds: float) -> dict:
        """Sends the next message as soon as fewer than `in_flight` are in flight."""
        until, first = time.monotonic() + seconds, self.sent
        while time.monotonic() < until:
            self.wait(in_flight - 1)
            self.send()
        return self.report() | {"messages": self.sent - first, "in_flight": in_flight}

    def report(self) -> dict:
        self.wait(0)
        self.crowd.order("report")
        return self.crowd.answer(LATE_S)


def event_partition(user: int, partitions: int) -> int:
    user ^= user >> 33
    user = user * 0xff51afd7ed558ccd & MASK
    user ^= user >> 33
    user = user * 0xc4ceb9fe1a85ec53 & MASK
    user ^= user >> 33
    return user % partitions


def keys_of(users: list[int], partitions: int) -> dict[int, str]:
    members: dict[int, list[str]] = {}
    for user in users:
        members.setdefault(event_partition(user, partitions), []).append(str(user))
    return {partition: ",".join(ids) for partition, ids in members.items()}


def frame(seq: int) -> bytes:
    text = f"{time.monotonic_ns() // 1000} "
    text += ("abcdefghijklmnopqrstuvwxyz" * (TEXT_BYTES // 26 + 1))[:TEXT_BYTES - len(text)]
    return json.dumps({
        "type": "message", "id": seq, "conversation": 1, "seq": seq, "user_from": 1,
        "uuid": f"01936f5e-8a2b-7c3d-9e4f-{seq:012x}", "message": text,
        "created_at": "2026-11-21T10:00:00.000Z"}, separators=(",", ":")).encode()
