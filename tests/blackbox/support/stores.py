"""stores - reads MariaDB, Kafka and Redis with independent clients."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pymysql
import redis
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    Message,
    Producer,
    TopicPartition,
)

from support.stack import Stack
from support.wait import HANG_S, until


def database(stack: Stack, name: str = "chat") -> pymysql.Connection:
    return pymysql.connect(host="127.0.0.1", port=stack.port("MYSQL_PORT"),
                           user=stack.settings.get("MYSQL_USER", "parley"),
                           password=stack.secret("mysql"), database=name,
                           charset="utf8mb4", autocommit=True, connect_timeout=HANG_S)


def rows(stack: Stack, statement: str, values: tuple = (), name: str = "chat") -> list[tuple]:
    with database(stack, name) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def hints(stack: Stack) -> redis.Redis:
    return redis.Redis(host="127.0.0.1", port=stack.port("REDIS_PORT"),
                       password=stack.secret("redis"), decode_responses=True,
                       socket_timeout=HANG_S)


@dataclass
class Record:
    key: str
    value: bytes
    partition: int
    headers: dict[str, bytes]

    def json(self) -> dict:
        return json.loads(self.value)


def records(stack: Stack, topic: str, fits: Callable[[Record], bool],
            count: int = 1, timeout_s: float = HANG_S) -> list[Record]:
    """All fitting records from the beginning to the current end of a topic. When there are
    fewer than `count`, waits for more."""
    consumer = Consumer({"bootstrap.servers": f"127.0.0.1:{stack.port('KAFKA_PORT')}",
                         "group.id": "blackbox", "enable.auto.commit": False,
                         "enable.partition.eof": True, "fetch.wait.max.ms": 20})
    try:
        partitions = consumer.list_topics(topic, timeout=HANG_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING)
                         for number in partitions])
        found: list[Record] = []
        unread = set(partitions)

        def enough() -> bool:
            message = consumer.poll(0.5)
            while message is not None:  # a record without a value is false
                if not message.error():
                    if fits(record := record_of(message)):
                        found.append(record)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition())
                else:
                    raise RuntimeError(message.error())
                message = consumer.poll(0)
            return not unread and len(found) >= count

        until(f"{count} records in {topic}", enough, timeout_s)
        return found
    finally:
        consumer.close()


def record_of(message: Message) -> Record:
    return Record((message.key() or b"").decode(), message.value() or b"",
                  message.partition(), dict(message.headers() or []))


def produce_again(stack: Stack, topic: str, again: list[Record]) -> None:
    """The same records once more, as a process that was stopped may produce them late."""
    producer = Producer({"bootstrap.servers": f"127.0.0.1:{stack.port('KAFKA_PORT')}"})
    for record in again:
        producer.produce(topic, record.value, record.key, record.partition,
                         headers=list(record.headers.items()))
    assert producer.flush(HANG_S) == 0
