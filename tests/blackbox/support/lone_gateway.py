"""lone_gateway - a gateway with topics of its own, on which the test plays persistence. Another
gateway would take the conversations that a test makes up for those of the stack."""

import json
from collections.abc import Callable

from confluent_kafka import Producer

from support.partition import event_partition
from support.service import Service
from support.stack import PARTITIONS, Stack
from support.stores import Record, records
from support.wait import HANG_S


class LoneGateway:
    def __init__(self, stack: Stack, **changes: str):
        self.stack, self.brokers = stack, f"127.0.0.1:{stack.port('KAFKA_PORT')}"
        self.topic = stack.make_topic("message_save")
        self.events = stack.make_topic("message_events")
        self.producer = Producer({"bootstrap.servers": self.brokers, "linger.ms": 0})
        self.gateway = Service(stack, "websocket-service", KAFKA_TOPIC_SAVE=self.topic,
                               KAFKA_TOPIC_EVENTS=self.events, **changes)

    def __enter__(self) -> "LoneGateway":
        self.gateway.__enter__()
        return self

    def __exit__(self, *_) -> None:
        self.gateway.__exit__()

    @property
    def ws_url(self) -> str:
        return self.gateway.ws_url

    # --- records of the gateway ----------------------------------------------------
    def saves(self, fits: Callable[[dict], bool], count: int = 1) -> list[Record]:
        return records(self.stack, self.topic, lambda record: fits(record.json()), count)

    # --- events of persistence ------------------------------------------------------
    def put(self, partition: int, key: str, value: bytes, header: str = "", text: str = "",
            more: list[tuple[str, bytes]] | None = None) -> None:
        headers = ([(header, text.encode())] if header else []) + (more or [])
        self.producer.produce(self.events, key=key, value=value, partition=partition,
                              headers=headers or None)
        assert self.producer.flush(HANG_S) == 0

    def answer_rooms(self, question: Record, text: str) -> None:
        """Answers a rooms question, in the event partition of its first user."""
        first = question.json()["sender"]
        self.put(event_partition(first), str(first), b"", "rooms", text,
                 [("settles", question.headers["origin"])])

    def answer_keys(self, conversation: int, key: str) -> None:
        """Waits until the gateway asks for the key of the conversation, and answers."""
        query = self.saves(lambda save: save["kind"] == "keys" and
                           str(conversation) in save["conversations"].split(","))[-1]
        user = query.json()["sender"]
        self.put(event_partition(user), str(user), b"", "keys", f"{conversation}={key}",
                 [("settles", query.headers["origin"])])

    def answer_roster(self, question: Record, text: str) -> None:
        """Answers a query for the recipients of typing."""
        user = question.json()["sender"]
        self.put(event_partition(user), str(user), b"", "roster", text,
                 [("settles", question.headers["origin"])])

    def to_user(self, user: int, frame: dict, header: str = "", text: str = "") -> None:
        self.put(event_partition(user), str(user), json.dumps(frame).encode(), header, text)

    def to_room(self, room: int, frame: dict, header: str = "", text: str = "") -> None:
        for partition in range(PARTITIONS):
            self.put(partition, f"c:{room}", json.dumps(frame).encode(), header, text)
