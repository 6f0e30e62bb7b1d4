"""Today's program migrates a database of the first schema and keeps its messages."""

import subprocess

import httpx
import pymysql
import pytest

from support.api import Api, Person
from support.chat import new_uuid
from support.service import Service, environment
from support.stack import ROOT, Stack
from support.wait import HANG_S

SCHEMA = ROOT / "persistence-service" / "schema"
# The columns of 0001, whose values must not change.
COLUMNS = {
    "conversations": "id, kind, ckey, name, last_seq, last_message_id, created_by, created_at",
    "members": "user, conversation, role, joined_at, delivered_seq, read_seq",
    "messages": "conversation, seq, id, sender, uuid, created_at, body",
}
AT = "2025-03-01 09:30:00.250"
TOPICS = {"KAFKA_TOPIC_SAVE": "migration_save", "KAFKA_TOPIC_EVENTS": "migration_events",
          "KAFKA_TOPIC_DLQ": "migration_dlq"}


def statements(name: str) -> list[str]:
    found = [part.strip() for part in (SCHEMA / name).read_text().split(";\n")]
    return [part for part in found if part]


class OldDatabase:
    """A database with schema 0001 and `done` statements of 0002."""

    def __init__(self, stack: Stack, name: str, done: int):
        self.user, self.password = stack.make_database_admin()
        self.name = name
        self.connection = pymysql.connect(
            host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=self.user,
            password=self.password, autocommit=True, charset="utf8mb4")
        self.cursor = self.connection.cursor()
        self.cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        self.cursor.execute(f"CREATE DATABASE {name}")
        self.connection.select_db(name)
        self.cursor.execute("CREATE TABLE schema_version (version INT UNSIGNED NOT NULL PRIMARY"
                            " KEY, applied_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3))"
                            " ENGINE=InnoDB")
        self.cursor.execute("INSERT INTO schema_version (version) VALUES (1)")
        for statement in statements("0001-chat.sql"):
            self.cursor.execute(statement)
        self.done = done

    def begin_second(self) -> None:
        for statement in statements("0002-conversations.sql")[:self.done]:
            self.cursor.execute(statement)

    def fill(self, one: Person, other: Person, count: int) -> int:
        """A direct conversation as the first version wrote it."""
        low, high = sorted((one.id, other.id))
        self.cursor.execute(
            "INSERT INTO conversations (kind, ckey, last_seq, created_by, created_at)"
            " VALUES (1, %s, %s, %s, %s)", (f"d:{low}:{high}", count, one.id, AT))
        conversation = self.cursor.lastrowid
        for seq in range(1, count + 1):
            self.cursor.execute(
                "INSERT INTO messages (conversation, seq, sender, uuid, created_at, body)"
                " VALUES (%s, %s, %s, UNHEX(REPLACE(%s, '-', '')), %s, %s)",
                (conversation, seq, (one, other)[seq % 2].id, new_uuid(), AT, f"Zeile {seq} 🎉"))
        self.cursor.execute("UPDATE conversations SET last_message_id = %s WHERE id = %s",
                            (self.cursor.lastrowid, conversation))
        for person, read in ((one, count), (other, count - 3)):
            self.cursor.execute(
                "INSERT INTO members (user, conversation, joined_at, read_seq)"
                " VALUES (%s, %s, %s, %s)", (person.id, conversation, AT, read))
        return conversation

    def rows(self) -> dict[str, list[tuple]]:
        held = {}
        for table, columns in COLUMNS.items():
            self.cursor.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2")
            held[table] = list(self.cursor.fetchall())
        return held

    def versions(self) -> list[int]:
        self.cursor.execute("SELECT version FROM schema_version ORDER BY version")
        return [version for version, in self.cursor.fetchall()]

    def drop(self) -> None:
        self.cursor.execute(f"DROP DATABASE {self.name}")
        self.connection.close()


@pytest.fixture(scope="module")
def topics(stack: Stack) -> dict[str, str]:
    """Topics of this test: its service must not save records of other tests."""
    subprocess.run([stack.binary("persistence-service"), "--init-topics"], check=True,
                   env=environment(stack, **TOPICS), timeout=HANG_S, stdin=subprocess.DEVNULL,
                   capture_output=True)
    return TOPICS


def expected(conversation: int, messages: list[tuple], one: Person, other: Person) -> list[dict]:
    return [{
        "type": "message", "id": id, "conversation": conversation, "seq": seq, "user_from": sender,
        "user_to": one.id + other.id - sender, "uuid": uuid_text(uuid), "message": body,
        "created_at": "2025-03-01T09:30:00.250Z",
    } for _, seq, id, sender, uuid, _, body in messages]


def uuid_text(raw: bytes) -> str:
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


SECOND = len(statements("0002-conversations.sql"))


@pytest.mark.parametrize("done", [0, 1, 3, SECOND], ids=["untouched", "one alter", "some", "all"])
def test_a_migrated_database_keeps_its_messages(done: int, stack: Stack, api: Api, alice: Person,
                                                bob: Person, topics: dict[str, str]):
    old = OldDatabase(stack, f"migration_{done}", done)
    try:
        conversation = old.fill(alice, bob, 20)
        before = old.rows()
        old.begin_second()
        for _ in range(2):  # the second start has nothing to do
            with Service(stack, "persistence-service", PERSISTENCE_DATABASE=old.name,
                         MYSQL_USER=old.user, MYSQL_PASSWORD=old.password, MYSQL_PASSWORD_FILE="",
                         PERSISTENCE_GROUP="migration", PERSISTENCE_INSTANCE="migration",
                         **topics) as service:
                assert old.versions() == list(range(1, len(list(SCHEMA.glob("*.sql"))) + 1))
                assert old.rows() == before
                check_reading(Api(service.url), conversation, before, alice, bob)
    finally:
        old.drop()


def check_reading(api: Api, conversation: int, before: dict[str, list[tuple]], alice: Person,
                  bob: Person) -> None:
    frames = expected(conversation, before["messages"], alice, bob)
    for person, other, unread in ((alice, bob, 0), (bob, alice, 3)):
        assert api.all_messages(person, conversation) == frames
        assert api.messages(person, conversation, before=11, limit=5)["messages"] == frames[5:10]
        listed, = api.conversations(person)["conversations"]
        assert listed == {
            "id": conversation, "kind": "direct", "name": None, "with": {"id": other.id},
            "role": "member", "members": 2, "history": "all", "last_seq": 20,
            "read_seq": 20 - unread, "delivered_seq": 20 - unread, "unread": unread,
            "revision": 0, "last_message": frames[-1]}
        synced = httpx.get(f"{api.url}/sync", headers=person.bearer, trust_env=False).json()
        assert synced["conversations"] == [listed]
