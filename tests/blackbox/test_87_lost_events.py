"""Kafka deletes events before a gateway has read them: its clients must learn it, once the gateway
reads on, so that they read the backlog and miss nothing."""

import os
import signal

from confluent_kafka import OFFSET_END, TopicPartition
from confluent_kafka.admin import AdminClient

from support.api import Api, Person
from support.chat import Socket, new_uuid, open_socket
from support.lone_gateway import LoneGateway
from support.stack import PARTITIONS, Stack
from support.wait import HANG_S, until

TRY_LATER = 1013


def lose_events_of_all_partitions(lone: LoneGateway) -> None:
    """The gateway sleeps, and with it librdkafka: one answer of Kafka may be under way, with
    records of the first round."""
    os.kill(lone.gateway.child.pid, signal.SIGSTOP)
    try:
        for _ in range(2):
            for partition in range(PARTITIONS):
                lone.put(partition, "0", b'{"type":"made-up"}')
        ends = [TopicPartition(lone.events, partition, OFFSET_END)
                for partition in range(PARTITIONS)]
        admin = AdminClient({"bootstrap.servers": lone.brokers})  # it ends its work when it goes
        for cut in admin.delete_records(ends).values():
            cut.result(timeout=HANG_S)
    finally:
        os.kill(lone.gateway.child.pid, signal.SIGCONT)


def assert_hears(lone: LoneGateway, socket: Socket, user: int) -> None:
    mark = new_uuid()
    lone.to_user(user, {"type": "mark", "uuid": mark})
    socket.expect(type="mark", uuid=mark)


def test_clients_learn_of_lost_events_once_the_gateway_reads_on(
        stack: Stack, api: Api, alice: Person):
    with LoneGateway(stack) as lone:
        with open_socket(lone.ws_url, alice, checked=False) as socket:
            assert_hears(lone, socket, alice.id)
            lose_events_of_all_partitions(lone)
            assert socket.closed() == (TRY_LATER, "read the backlog again")
        until("each partition's loss is logged",
              lambda: len(lone.gateway.events("events.lost")) == PARTITIONS)
        with open_socket(lone.ws_url, alice, checked=False) as socket:
            assert_hears(lone, socket, alice.id)
        assert len(lone.gateway.events("events.lost")) == PARTITIONS
