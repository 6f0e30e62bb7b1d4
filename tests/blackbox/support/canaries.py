"""canaries - the places where a known secret may have leaked.

A place is a name and its bytes. Each kind of place has its own
reader. A test plants secrets on purpose and checks that each reader finds them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from support.stack import SERVICES, Stack
from support.stores import database, hints

Place = tuple[str, bytes]


def logs(stack: Stack) -> Iterator[Place]:
    yield "what the launcher said", stack.said.read_bytes()
    for path in stack.log_files():
        yield f"log/{path.name}", path.read_bytes()


def processes(stack: Stack) -> Iterator[Place]:
    """Command lines and environments of every process of the stack."""
    folders = [Path("/proc", number) for number in os.listdir("/proc") if number.isdigit()]
    for folder in folders:
        try:
            if not os.readlink(folder / "cwd").startswith(str(stack.run_dir)):
                continue
            name = (folder / "comm").read_text().strip()
            yield f"cmdline of {name}", (folder / "cmdline").read_bytes()
            yield f"environ of {name}", (folder / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # the process has ended, or another user runs it


def topics(stack: Stack) -> Iterator[Place]:
    """Keys, headers and values of every record of every topic, including Kafka's own."""
    consumer = Consumer({"bootstrap.servers": f"127.0.0.1:{stack.port('KAFKA_PORT')}",
                         "group.id": "canaries", "enable.auto.commit": False,
                         "enable.partition.eof": True})
    try:
        found = consumer.list_topics(timeout=10).topics
        parts = [TopicPartition(name, number, OFFSET_BEGINNING)
                 for name, topic in found.items() for number in topic.partitions]
        consumer.assign(parts)
        left = {(part.topic, part.partition) for part in parts}
        while left:
            for record in consumer.consume(num_messages=500, timeout=1):
                if record.error():
                    assert record.error().code() == KafkaError._PARTITION_EOF, record.error()
                    left.discard((record.topic(), record.partition()))
                    continue
                where = f"of {record.topic()}"
                yield f"key {where}", record.key() or b""
                yield f"value {where}", record.value() or b""
                yield f"headers {where}", repr(record.headers()).encode()
    finally:
        consumer.close()


def redis_keys(stack: Stack) -> Iterator[Place]:
    client = hints(stack)
    for key in client.scan_iter(count=1000):
        yield "key of Redis", key.encode()
        if client.type(key) == "zset":
            yield f"members of {key}", repr(client.zrange(key, 0, -1, withscores=True)).encode()
            continue
        assert client.type(key) == "string", f"{key} has a type that this reader does not know"
        yield "value of Redis", (client.get(key) or "").encode()


def tables(stack: Stack, name: str) -> Iterator[Place]:
    with database(stack, name) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        for table, in cursor.fetchall():
            cursor.execute(f"SELECT * FROM `{table}`")
            for row in cursor.fetchall():
                for value in row:
                    yield (f"table {name}.{table}",
                           value if isinstance(value, bytes) else str(value).encode())


def admin_pages(stack: Stack) -> Iterator[Place]:
    for service in SERVICES:
        for page in ("healthz", "readyz", "metrics"):
            yield f"/{page} of {service}", httpx.get(
                f"{stack.admin_url(service)}/{page}", trust_env=False).content


def open_files(stack: Stack) -> Iterator[Place]:
    """Files of the run directory that other users can read."""
    for path in stack.run_dir.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o077:
            reachable = all(parent.stat().st_mode & 0o011 for parent in path.parents
                            if stack.run_dir in (parent, *parent.parents))
            if reachable:
                yield f"file {path.relative_to(stack.run_dir)}", path.read_bytes()


def hits(places: Iterator[Place], canaries: dict[str, str],
         may: tuple[str, ...] = ()) -> list[str]:
    """Which canary is in which place; places in `may` are allowed."""
    wanted = {name: text.encode() for name, text in canaries.items()}
    return sorted({f"{name} in {place}" for place, content in places
                   for name, text in wanted.items()
                   if text in content and not place.startswith(may or ("\0",))})
