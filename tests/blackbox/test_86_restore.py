"""A database that is restored from a backup while Kafka has gone on, and a Kafka that is empty
while the database has gone on: as docs/operations.md describes them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pymysql
import pytest
from confluent_kafka import Consumer, TopicPartition

from support.api import Api, Person
from support.chat import open_socket
from support.parts import own_database
from support.service import Service
from support.stack import PARTITIONS, Stack
from support.topics import Topics
from support.wait import HANG_S, until

pytestmark = pytest.mark.prove
COUNT = 20


class World:
    """A gateway, a persistence-service, their topics, and a database with a backup beside it."""

    def __init__(self, stack: Stack, exits: ExitStack):
        self.stack, self.topics = stack, Topics(stack)
        self.save, self.events = (self.topics.make(kind) for kind in ("restored", "restored_events"))
        database = exits.enter_context(own_database(stack, self.save))
        self.backup = exits.enter_context(own_database(stack, f"{self.save}_backup"))
        self.name = database["PERSISTENCE_DATABASE"]
        shared = {"KAFKA_TOPIC_SAVE": self.save, "KAFKA_TOPIC_EVENTS": self.events}
        self.persistence = Service(stack, "persistence-service", PERSISTENCE_GROUP=self.save,
                                   PERSISTENCE_INSTANCE=self.save, **shared, **database)
        self.gateway = Service(stack, "websocket-service", WEBSOCKET_USER_RATE="0", **shared)

    def start(self) -> None:
        for service in (self.persistence, self.gateway):
            service.start()
        for service in (self.persistence, self.gateway):
            service.ready()

    def stop(self) -> None:
        for service in (self.persistence, self.gateway):
            if service.child and service.child.poll() is None:
                service.stop()

    # --- the database ---------------------------------------------------------------
    def copy(self, source: str, target: str) -> None:
        """All tables, as they are now."""
        with pymysql.connect(host="127.0.0.1", port=self.stack.port("MYSQL_PORT"), autocommit=True,
                             user=self.backup["MYSQL_USER"],
                             password=self.backup["MYSQL_PASSWORD"]) as connection:
            cursor = connection.cursor()
            cursor.execute(f"SHOW TABLES FROM {source}")
            for (table,) in list(cursor.fetchall()):
                cursor.execute(f"DROP TABLE IF EXISTS {target}.{table}")
                cursor.execute(f"CREATE TABLE {target}.{table} LIKE {source}.{table}")
                cursor.execute(f"INSERT INTO {target}.{table} SELECT * FROM {source}.{table}")

    def back_up(self) -> None:
        self.copy(self.name, self.backup["PERSISTENCE_DATABASE"])

    def restore(self) -> None:
        self.copy(self.backup["PERSISTENCE_DATABASE"], self.name)

    # --- Kafka ----------------------------------------------------------------------
    def consumer(self) -> Consumer:
        return Consumer({"bootstrap.servers": f"127.0.0.1:{self.stack.port('KAFKA_PORT')}",
                         "group.id": self.save, "enable.auto.commit": False})

    def partitions(self) -> list[TopicPartition]:
        return [TopicPartition(self.save, number) for number in range(PARTITIONS)]

    def offsets(self) -> list[TopicPartition]:
        consumer = self.consumer()
        try:
            return consumer.committed(self.partitions(), timeout=HANG_S)
        finally:
            consumer.close()

    def reset_offsets(self, offsets: list[TopicPartition]) -> None:
        """As kafka-consumer-groups.sh --reset-offsets: refused while the group has a member."""
        consumer = self.consumer()
        try:
            until("the offsets are set", lambda: consumer.commit(
                offsets=[each for each in offsets if each.offset >= 0] or None,
                asynchronous=False) is not None)
        finally:
            consumer.close()

    def empty_topics(self) -> None:
        for topic in (self.save, self.events):
            self.topics.delete(topic)
            self.topics.make_again(topic)


@pytest.fixture
def world(stack: Stack) -> Iterator[World]:
    stack.wait_ready()
    with ExitStack() as exits:
        world = World(stack, exits)
        world.start()
        try:
            yield world
        finally:
            world.stop()
            for service in (world.persistence, world.gateway):
                service.said.unlink(missing_ok=True)


def say(world: World, sender: Person, receiver: Person, first: int) -> list[tuple]:
    with open_socket(world.gateway.ws_url, sender) as socket:
        saved = [socket.saved(socket.say(receiver.id, f"number {at}"))
                 for at in range(first, first + COUNT)]
    return [(state["conversation"], state["seq"], state["uuid"]) for state in saved]


def history(world: World, reader: Person, conversation: int) -> list[tuple]:
    api = Api(world.persistence.url)
    try:
        return [(conversation, each["seq"], each["uuid"])
                for each in api.all_messages(reader, conversation)]
    finally:
        api.close()


def offsets_as_they_are(world: World, _before: list[TopicPartition]) -> None:
    pass


def offsets_of_the_backup(world: World, before: list[TopicPartition]) -> None:
    world.reset_offsets(before)


def offsets_of_the_beginning(world: World, _before: list[TopicPartition]) -> None:
    world.reset_offsets([TopicPartition(world.save, number, 0) for number in range(PARTITIONS)])


RESTORED: dict[str, tuple[Callable, bool]] = {  # what is done to the offsets; all come back
    "the offsets as they are": (offsets_as_they_are, False),
    "the offsets of the backup": (offsets_of_the_backup, True),
    "offsets from before the backup": (offsets_of_the_beginning, True),
}


@pytest.mark.parametrize("reset, all_back", RESTORED.values(), ids=RESTORED)
def test_a_database_older_than_kafka(reset: Callable, all_back: bool, world: World,
                                     alice: Person, bob: Person):
    early = say(world, alice, bob, 0)
    conversation = early[0][0]
    world.stop()
    world.back_up()
    before = world.offsets()
    world.start()
    late = say(world, alice, bob, COUNT)
    assert history(world, bob, conversation) == early + late

    world.stop()
    world.restore()
    reset(world, before)
    world.start()
    kept = early + late if all_back else early
    until("the messages are there", lambda: history(world, bob, conversation) == kept)
    last = say(world, alice, bob, 2 * COUNT)
    assert [seq for _, seq, _ in last] == list(range(len(kept) + 1, len(kept) + COUNT + 1))
    assert history(world, bob, conversation) == kept + last


def test_a_kafka_that_is_empty(world: World, alice: Person, bob: Person):
    early = say(world, alice, bob, 0)
    world.stop()
    world.empty_topics()
    world.start()
    late = say(world, alice, bob, COUNT)
    assert history(world, bob, early[0][0]) == early + late


def test_a_kafka_that_is_emptied_under_way(world: World, alice: Person, bob: Person):
    """Sockets are open, and the offsets of the services are beyond the ends of the topics."""
    early = say(world, alice, bob, 0)
    with open_socket(world.gateway.ws_url, bob) as reader:
        world.empty_topics()
        until("messages are saved again", lambda: once_more(world, alice, bob))
        # It has to fetch the backlog, because events may be lost.
        assert reader.closed()[0] == 1013
    late = say(world, alice, bob, COUNT)
    seqs = [seq for _, seq, _ in history(world, bob, early[0][0])]
    assert seqs == list(range(1, len(seqs) + 1))
    assert history(world, bob, early[0][0])[-COUNT:] == late


def once_more(world: World, sender: Person, receiver: Person) -> bool:
    """Whether a message is saved, or refused, as while the topics are away."""
    with open_socket(world.gateway.ws_url, sender) as socket:
        uuid = socket.say(receiver.id, "once more")
        while True:
            state = socket.expect(type="state", uuid=uuid)["state"]
            if state in ("saved", "error"):
                return state == "saved"
