"""many - part (h): groups and channels, their lists and histories.

MariaDB itself fills the tables with many members; the measured requests then go through the
real services. Beside each figure stands plain SQL: the statements alone, over one connection,
in turns with the requests.
"""

import http.client
import json
import time
import uuid
from collections.abc import Callable

import pymysql
from confluent_kafka import Producer

import fill
import usage
from bench import Bench, say
from crowd import Crowd
from people import FIRST_MINTED
from room import Room
from stack import Stack, StackError

CHANNEL, LARGE_CHANNEL, FIRST_GROUP, FIRST_PAIR = 900_001, 900_002, 910_001, 800_001
CHANNEL_MEMBERS, ONLINE = 10_000, 1_000
LARGE_MEMBERS = 100_000
GROUPS = 1_000
RECORDS = 20_000
JOINS = 200
READS = 200
LATE_S = 60
NOW = "'2026-11-21 10:00:00.000'"


def many(bench: Bench) -> dict:
    stack = bench.stack
    bench.people.minted(bench.crowd_max)
    make_tables(stack)
    stack.restart("websocket-service")  # it may have cached that a user is in no room
    say(f"(h) {RECORDS:,} messages to a channel of {CHANNEL_MEMBERS:,}, and to pairs, in turns")
    result: dict = {"channel": [], "pairs": []}
    with Saves(stack) as saves:
        saves.run(pairs())  # the JVM compiles Kafka's code meanwhile
        for _ in range(bench.repeats):
            result["channel"].append(saves.run(to_channel()))
            result["pairs"].append(saves.run(pairs()))
    say(f"(h) the same channel with {ONLINE:,} sockets")
    with Crowd(bench.crowd("room", "WEBSOCKET_PORT", ONLINE)) as crowd, Saves(stack) as saves:
        room = Room(crowd, ToChannel(saves, crowd))
        result["online"] = bench.repeat(lambda _: room.steady(10, 20 * bench.room_s))
    say("(h) joins and lists")
    result |= asked(bench)
    return result


# --- tables ------------------------------------------------------------------------

def make_tables(stack: Stack) -> None:
    channel(stack, CHANNEL, CHANNEL_MEMBERS)
    channel(stack, LARGE_CHANNEL, LARGE_MEMBERS)
    last = FIRST_GROUP + GROUPS - 1
    fill.sql(stack, f"""
        INSERT INTO conversations (id, kind, ckey, name, last_seq, last_message_id, created_by,
                                   created_at, member_count, history)
        SELECT seq, 2, CONCAT('c:', seq), CONCAT('group ', seq), 1, seq, {FIRST_MINTED}, {NOW}, 2, 1
        FROM seq_{FIRST_GROUP}_to_{last};
        INSERT INTO members (user, conversation, role, joined_at)
        SELECT {FIRST_MINTED} + s.seq, g.seq, 1, {NOW}
        FROM seq_{FIRST_GROUP}_to_{last} g JOIN seq_0_to_1 s;
        INSERT INTO messages (conversation, seq, id, sender, uuid, created_at, body)
        SELECT seq, 1, seq, {FIRST_MINTED}, UNHEX(MD5(seq)), {NOW}, REPEAT('x', 200)
        FROM seq_{FIRST_GROUP}_to_{last};
        ANALYZE TABLE conversations, members, messages""")


def channel(stack: Stack, number: int, members: int) -> None:
    fill.sql(stack, f"""
        INSERT INTO conversations (id, kind, ckey, name, created_by, created_at, member_count,
                                   large, history)
        VALUES ({number}, 3, 'c:{number}', 'channel {number}', {FIRST_MINTED}, {NOW}, {members},
                1, 1);
        INSERT INTO members (user, conversation, role, joined_at)
        SELECT {FIRST_MINTED} - 1 + seq, {number}, 1, {NOW} FROM seq_1_to_{members};
        INSERT INTO large_members (user, conversation)
        SELECT {FIRST_MINTED} - 1 + seq, {number} FROM seq_1_to_{members}""")


# --- records of message_save ----------------------------------------------------------

def record(sender: int, target: dict, text: str) -> bytes:
    return json.dumps({"kind": "message", "uuid": str(uuid.uuid4()), "sender": sender, **target,
                       "message": text, "sent_at": "2026-11-21T10:00:00.000Z"},
                      separators=(",", ":")).encode()


def to_channel() -> list[tuple[str, bytes]]:
    return [(f"c:{CHANNEL}", record(FIRST_MINTED + at % 100, {"conversation": CHANNEL}, "x" * 200))
            for at in range(RECORDS)]


def pairs() -> list[tuple[str, bytes]]:
    """A hundred pairs, as in (a)."""
    return [(f"d:{low}:{low + 1}", record(low, {"user_to": low + 1}, "x" * 200))
            for low in (FIRST_PAIR + 2 * (at % 100) for at in range(RECORDS))]


class Saves:
    """Produces to message_save, as a gateway would, until every record is saved."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.faults = 0
        self.producer = Producer({
            "bootstrap.servers": f"127.0.0.1:{stack.settings['KAFKA_PORT']}",
            "acks": "all", "linger.ms": 0, "socket.nagle.disable": True,
            "partitioner": "murmur2_random"})

    def __enter__(self) -> "Saves":
        return self

    def __exit__(self, *_) -> None:
        self.producer.flush(LATE_S)

    def send(self, key: str, value: bytes) -> None:
        self.producer.produce(self.stack.settings["KAFKA_TOPIC_SAVE"], value, key,
                              on_delivery=self.reported)
        self.producer.poll(0)

    def reported(self, error, _message) -> None:
        self.faults += error is not None

    def saved(self) -> float:
        if self.faults:
            raise StackError("Kafka did not take a record")
        return self.stack.metrics("PERSISTENCE_ADMIN_PORT")[
            'parley_records_total{outcome="saved"}']

    def run(self, records: list[tuple[str, bytes]]) -> dict:
        programs = {name: usage.family(self.stack.pid(name))
                    for name in ("persistence-service", "mariadb", "kafka")}
        before = {name: usage.cpu_s(pids) for name, pids in programs.items()}
        first, start = self.saved(), time.monotonic()
        for key, value in records:
            self.send(key, value)
        while self.saved() < first + len(records):
            if time.monotonic() > start + LATE_S:
                raise StackError(f"not all of {len(records)} records were saved")
            self.producer.poll(0.01)
        took = time.monotonic() - start
        return {"saved": len(records), "saved_per_s": len(records) / took} | {
            name.partition("-")[0] + "_us": 1e6 * (usage.cpu_s(pids) - before[name]) / len(records)
            for name, pids in programs.items()}


class ToChannel:
    """A way for room.Room: the numbers in the texts are those of the conversation."""

    def __init__(self, saves: Saves, crowd: Crowd):
        self.saves = saves
        self.crowd = crowd

    def send(self, value: bytes) -> None:
        text = json.loads(value)["message"]
        self.saves.send(f"c:{CHANNEL}", record(FIRST_MINTED, {"conversation": CHANNEL}, text))

    def check(self) -> None:
        self.saves.producer.poll(0)


# --- REST requests -------------------------------------------------------------------

def tokens_of(bench: Bench) -> dict[int, str]:
    with open(bench.people.minted(bench.crowd_max), encoding="ascii") as file:
        return {int(user): token for user, token in (line.split() for line in file)}


def asked(bench: Bench) -> dict:
    stack, tokens = bench.stack, tokens_of(bench)
    line = http.client.HTTPConnection("127.0.0.1", int(stack.settings["PERSISTENCE_PORT"]),
                                      timeout=30)
    # 100,000 users are members already: users that join now have higher ids
    fresh = [bench.people.token_of(FIRST_MINTED + LARGE_MEMBERS + at) for at in range(JOINS)]
    lister = tokens[FIRST_MINTED]
    result = {
        "join": timed(JOINS, lambda at: ask(line, "POST", fresh[at],
                                            f"/conversations/{LARGE_CHANNEL}/join")),
        "list": timed(READS, lambda _: ask(line, "GET", lister, "/conversations?limit=200")),
        "sync": timed(READS, lambda _: ask(line, "GET", lister, "/sync?limit=500")),
    }
    line.close()
    with Plain(stack) as plain:
        result |= {
            "plain_join": timed(JOINS, plain.join),
            "plain_list": timed(READS, plain.list),
        }
    return result


def ask(line: http.client.HTTPConnection, method: str, token: str, path: str) -> None:
    line.request(method, path, headers={"Authorization": f"Bearer {token}"})
    answer = line.getresponse()
    answer.read()
    if answer.status != 200:
        raise StackError(f"{method} {path}: {answer.status}")


def timed(count: int, call: Callable[[int], None]) -> dict:
    times = []
    for at in range(count):
        start = time.perf_counter()
        call(at)
        times.append(1000 * (time.perf_counter() - start))
    times.sort()
    return {"count": count, **{f"p{share}_ms": times[min(count - 1, count * share // 100)]
                               for share in (50, 95, 99)}}


class Plain:
    """The statements alone."""

    def __init__(self, stack: Stack):
        self.stack = stack

    def __enter__(self) -> "Plain":
        self.base = pymysql.connect(
            read_default_file=self.stack.run_file("conf/mariadb-client.cnf"),
            database=self.stack.settings["PERSISTENCE_DATABASE"], autocommit=False)
        return self

    def __exit__(self, *_) -> None:
        self.base.close()

    def join(self, at: int) -> None:
        user = FIRST_MINTED + 2 * LARGE_MEMBERS + at
        with self.base.cursor() as cursor:
            cursor.execute("SELECT last_seq, member_count FROM conversations WHERE id = %s"
                           " FOR UPDATE", LARGE_CHANNEL)
            seq = cursor.fetchone()[0] + 1
            cursor.execute("INSERT INTO messages (conversation, seq, sender, uuid, created_at,"
                           f" body, kind) VALUES (%s,%s,%s,%s,{NOW},%s,2)",
                           (LARGE_CHANNEL, seq, user, uuid.uuid4().bytes, '{"what":"joined"}'))
            cursor.execute("UPDATE conversations SET last_seq = %s, last_message_id ="
                           " LAST_INSERT_ID(), member_count = member_count + 1 WHERE id = %s",
                           (seq, LARGE_CHANNEL))
            cursor.execute(f"INSERT INTO members (user, conversation, joined_at) VALUES (%s,%s,{NOW})",
                           (user, LARGE_CHANNEL))
        self.base.commit()

    def page(self, conversation: int, before: int) -> None:
        with self.base.cursor() as cursor:
            cursor.execute("SELECT * FROM messages WHERE conversation = %s AND seq < %s"
                           " ORDER BY seq DESC LIMIT 51", (conversation, before))
            cursor.fetchall()
        self.base.rollback()

    def list(self, _at: int) -> None:
        with self.base.cursor() as cursor:
            cursor.execute(
                "SELECT c.id, c.name, c.last_seq, m.read_seq, x.* FROM members m"
                " JOIN conversations c ON c.id = m.conversation"
                " JOIN messages x ON x.conversation = c.id AND x.seq = c.last_seq"
                " WHERE m.user = %s ORDER BY c.last_message_id DESC LIMIT 201", FIRST_MINTED)
            cursor.fetchall()
        self.base.rollback()
