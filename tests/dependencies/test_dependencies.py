"""Dependencies that misbehave while many users chat.

A row puts one fault on one dependency and waits until the services say so, with the reason. Then
it mends the fault and waits until all parts of all services are up and messages are saved again.
One ledger runs over all rows of a dependency and judges every message.
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from matrix import faults
from matrix.parley import Parley, READY_S
from support.api import Api
from support.chat import open_socket
from support.load import ACCEPTED, FAULTS, SAVED, Load, one_line
from support.raw import RawSocket
from support.stack import PARTITIONS
from support.stores import hints
from support.wait import HANG_S, until

USERS = {"users": 50, "sockets": 4, "rate": 100, "groups": 4, "seconds": 3600, "drain": 600}
GATEWAY, PERSISTENCE, IDENTITY = "websocket-service", "persistence-service", "identity-service"
MORE = 100  # messages


@pytest.fixture(scope="module")
def parley() -> Iterator[Parley]:
    parley = Parley("dependencies")
    try:
        yield parley.up()
    finally:
        parley.down()


@dataclass(frozen=True)
class Row:
    name: str
    fault: faults.Fault
    why: str  # what each service that needs it gives as the reason
    services: tuple[str, ...] = ()  # those that notice it; empty: each one that needs it
    token: int = 503  # identity: the answer to a token that a service has never seen


def wait_for_reason(parley: Parley, program: str, part: str, state: str, row: Row) -> None:
    """Until the service gives the true reason."""
    print(f"{part}: {row.name}", flush=True)
    seen: list[tuple[str, str]] = [("", "")]

    def said() -> bool:
        seen[0] = parley.services[program].state(part)
        return seen[0][0] == state and re.search(row.why, seen[0][1]) is not None

    try:
        until(f"{row.name}: {program} says {part} {state}, {row.why}", said, READY_S)
    except AssertionError as late:
        raise AssertionError(f"{late}; it says {seen[0]}") from None


def wait_unfit(parley: Parley, program: str, row: Row, unfit: int) -> None:
    until(f"{row.name}: a topic of {program} is {'un' if unfit else ''}fit", lambda:
          parley.services[program].metric("parley_topics_unfit") == unfit, READY_S)


def wait_chatting(load: Load) -> None:
    load.wait_more(SAVED, MORE)


# --- Redis: a hint --------------------------------------------------------------------------
REDIS = (
    Row("refused", faults.refused, "Connection refused"),
    Row("dropped", faults.dropped, "no answer"),
    Row("hangs at once", faults.hangs_at_once, "no answer"),
    Row("hangs later", faults.hangs_later, "no answer"),
    Row("stopped", faults.stopped, "no answer"),
    Row("not a Redis", faults.answers("HTTP/1.1 400 Bad Request\r\n\r\n"), "Protocol error"),
    Row("too long", faults.answers("$99999999\r\n" + "x" * 2_000_000), "too long"),
    Row("out of memory", faults.out_of_memory, "^OOM "),
    Row("a replica", faults.replica, "^READONLY "),
    Row("no permission", faults.no_permission, "^NOPERM "),
    Row("other password", faults.other_password, "^WRONGPASS "),
    Row("too many clients", faults.few_clients, "max number of clients"),
)
FOUND = (  # it works, but its address changes, or is hard to learn
    Row("resolved late", faults.resolved_late, ""),
    Row("not resolved", faults.not_resolved, ""),
    Row("moved", faults.moved, ""),
)


class Watched:
    """A user who stays online, and another one who is subscribed."""

    def __init__(self, parley: Parley):
        api = Api(parley.stack.url)
        self.stack, self.user = parley.stack, api.register()
        self.online = open_socket(parley.stack.ws_url, self.user)
        self.subscriber = open_socket(parley.stack.ws_url, api.register())
        self.ask_until("online")

    def ask(self) -> dict:
        """The next answer; presence that came by itself stays in `seen`."""
        self.subscriber.watch(self.user.id)
        return self.subscriber.until(
            "an answer", lambda frame: frame["type"] in ("presence", "error"), HANG_S)

    def ask_until(self, state: str) -> None:
        def told() -> bool:
            frame = self.ask()
            return frame["type"] == "presence" and frame["users"][0]["state"] == state
        until(f"the user is {state}", told)

    def assert_unavailable(self) -> None:
        frame = self.ask()
        assert (frame["type"], frame.get("code")) == ("error", "unavailable"), frame
        assert frame["retryable"]

    def wait_expired(self) -> None:
        """Until Redis would say that the user is gone."""
        def expired() -> bool:
            with hints(self.stack) as redis:
                (_, score), = redis.zrevrange(f"presence:{self.user.id}", 0, 0, withscores=True)
                seconds, micros = redis.time()
            return score < seconds * 1000 + micros // 1000
        until("the entry in Redis has expired", expired, READY_S)

    def assert_never_offline(self) -> None:
        told = [user["state"] for frame in self.subscriber.seen if frame["type"] == "presence"
                for user in frame["users"]]
        assert "offline" not in told

    def close(self) -> None:
        self.online.close()
        self.subscriber.close()


@pytest.mark.timeout(3000)
def test_no_client_notices_a_redis_that_misbehaves(parley: Parley):
    gateway = parley.services[GATEWAY]
    with Load(parley.stack, **USERS) as load:
        load.wait_sending()
        load.wait_sockets()
        watched = Watched(parley)
        for row in REDIS:
            with row.fault(parley, "redis"):
                wait_for_reason(parley, GATEWAY, "redis", "degraded", row)
                assert gateway.health()["ready"] and gateway.metric("parley_redis_up") == 0
                watched.assert_unavailable()
                if row.fault is faults.out_of_memory:
                    watched.wait_expired()
                wait_chatting(load)
            parley.wait_ready()
            watched.ask_until("online")
        for row in FOUND:
            with row.fault(parley, "redis"):
                parley.wait_ready()
                wait_chatting(load)
            parley.wait_ready()
        watched.assert_never_offline()
        watched.close()
        load.stop_sending()
        load.assert_clean(READY_S)


# --- identity: needed for tokens and users that are not cached --------------------------------
def empty(status: str) -> str:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


NOT_READY = empty("503 Service Unavailable")
IDENTITY_ROWS = (
    Row("refused", faults.refused, "Connection refused"),
    Row("dropped", faults.dropped, "Timeout"),
    Row("hangs at once", faults.hangs_at_once, "Timeout"),
    Row("hangs later", faults.hangs_later, "Timeout"),
    Row("not HTTP", faults.answers("garbage\r\n\r\n"), "HTTP|[Uu]nsupported|[Ww]eird"),
    Row("refuses", faults.answers(NOT_READY), "HTTP 503"),
    Row("fails", faults.answers(empty("500 Internal Server Error")), "HTTP 500"),
    Row("too many requests", faults.answers(empty("429 Too Many Requests")), "HTTP 429"),
    Row("unauthorised", faults.answers(empty("401 Unauthorized")), "HTTP 401"),
    Row("redirects", faults.answers("HTTP/1.1 302 Found\r\nLocation: /\r\n"
                                    "Content-Length: 0\r\n\r\n"), "HTTP 302"),
    Row("other JSON", faults.answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"), "HTTP 200"),
    # A list of ended sessions may have 1 MiB.
    Row("never ends", faults.answers("HTTP/1.1 200 OK\r\n\r\n" + "x" * 2_000_000), "too long"),
    Row("too long", faults.answers("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" +
                                   "x" * 2_000_000), "too long"),
)


def ask_about_a_token(parley: Parley) -> tuple[int, int]:
    """What the gateway and persistence answer to a token that neither has seen."""
    token = secrets.token_hex(20)
    with RawSocket(parley.stack.ws_url) as raw:
        upgrade = raw.upgrade(token).status
    answer = httpx.get(f"{parley.stack.url}/conversations", trust_env=False, timeout=HANG_S,
                       headers={"Authorization": f"Bearer {token}"})
    return upgrade, answer.status_code


@pytest.mark.timeout(3000)
def test_open_sockets_do_not_notice_an_identity_that_misbehaves(parley: Parley):
    with Load(parley.stack, **USERS) as load:
        load.wait_sending()
        load.wait_sockets()
        for row in IDENTITY_ROWS:
            with row.fault(parley, "identity"):
                for program in (GATEWAY, PERSISTENCE):  # nothing asks meanwhile
                    wait_for_reason(parley, program, "identity", "degraded", row)
                answers = (row.token, row.token)
                until(f"{row.name}: {answers}", lambda: ask_about_a_token(parley) == answers,
                      READY_S)
                wait_chatting(load)
            parley.wait_ready()
            until(f"after {row.name}: 401", lambda: ask_about_a_token(parley) == (401, 401),
                  READY_S)
        for row in FOUND:
            with row.fault(parley, "identity"):
                until(f"{row.name}: 401", lambda: ask_about_a_token(parley) == (401, 401), READY_S)
                wait_chatting(load)
            until(f"after {row.name}: 401", lambda: ask_about_a_token(parley) == (401, 401),
                  READY_S)
        load.stop_sending()
        load.assert_clean(READY_S)


# --- MariaDB: needed to save ------------------------------------------------------------------
BOTH = (PERSISTENCE, IDENTITY)
MARIADB = (
    Row("refused", faults.refused, "Can't connect"),
    Row("dropped", faults.dropped, "Can't connect|Lost connection"),
    Row("hangs at once", faults.hangs_at_once, "Lost connection|handshake|Can't connect"),
    Row("hangs later", faults.hangs_later, "Lost connection|gone away|handshake"),
    Row("stopped", faults.stopped, "Lost connection|gone away|handshake"),
    Row("not a MariaDB", faults.says("HTTP/1.1 400 Bad Request\r\n\r\n"),
        "Lost connection|protocol|Malformed|handshake"),
    Row("no more connections", faults.few_connections, "Too many connections"),
    Row("read only", faults.read_only, "read-only"),
    Row("locked", faults.locked, "Lock wait|Lost connection|read lock"),
    Row("other password", faults.other_database_password, "Access denied"),
    Row("no right to write", faults.no_right_to_write, "command denied"),
)
SMALL = (Row("small packets", faults.small_packets, ""),)  # it works as before
SAVING = (Row("moved while it saves", faults.moved_while_saving, ""),)


@pytest.mark.timeout(3000)
def test_nothing_is_lost_by_a_mariadb_that_misbehaves(parley: Parley):
    with Load(parley.stack, **USERS) as load:
        load.wait_sending()
        for row in MARIADB:
            with row.fault(parley, "mysql"):
                for program in BOTH:
                    wait_for_reason(parley, program, "mysql", "down", row)
            parley.wait_ready()
            wait_chatting(load)
        for row in (*SMALL, *FOUND, *SAVING):
            print(f"mysql: {row.name}", flush=True)
            with row.fault(parley, "mysql"):
                parley.wait_ready()
                wait_chatting(load)
            parley.wait_ready()
        load.stop_sending()
        load.assert_clean(READY_S)


# --- Kafka: needed to accept --------------------------------------------------------------------
KAFKA_WHY = "not acknowledged|not confirmed|no answer from"
KAFKA = (
    Row("refused", faults.refused, "not confirmed|not acknowledged|Connection refused"),
    Row("dropped", faults.dropped, KAFKA_WHY),
    Row("hangs at once", faults.hangs_at_once, KAFKA_WHY),
    Row("hangs later", faults.hangs_later, KAFKA_WHY),
    Row("stopped", faults.stopped, KAFKA_WHY),
    Row("not a Kafka", faults.answers("HTTP/1.1 400 Bad Request\r\n\r\n"), KAFKA_WHY),
)
# It answers, and refuses each record: only a service that produces notices that.
KAFKA_REFUSES_EVENTS = (
    Row("may not announce", faults.not_authorised("message_events"), "authorization failed",
        (PERSISTENCE,)),
)
KAFKA_REFUSES_MESSAGES = (
    Row("may not send", faults.not_authorised("message_save"), "authorization failed",
        (GATEWAY,)),
    Row("no time fits", faults.topic_setting("message_save", "message.timestamp.before.max.ms",
                                             "0"), "timestamp", (GATEWAY,)),
)
# It takes records of this size, but fewer in one request, and longer ones would be refused.
KAFKA_SMALL = tuple(
    Row(f"small records in {topic}", faults.topic_setting(topic, "max.message.bytes", "4096"),
        "", noticed_by)
    for topic, noticed_by in (("message_save", (GATEWAY, PERSISTENCE)),
                              ("message_events", (GATEWAY, PERSISTENCE))))


@pytest.mark.timeout(3000)
def test_nothing_is_lost_by_a_kafka_that_misbehaves(parley: Parley):
    with Load(parley.stack, **USERS) as load:
        load.wait_sending()
        for row in (*KAFKA, *KAFKA_REFUSES_EVENTS):
            with row.fault(parley, "kafka"):
                for program in row.services or (GATEWAY, PERSISTENCE):
                    wait_for_reason(parley, program, "kafka", "down", row)
            parley.wait_ready()
            wait_chatting(load)
        for row in KAFKA_SMALL:
            with row.fault(parley, "kafka"):
                for program in row.services:
                    wait_unfit(parley, program, row, 1)
                wait_chatting(load)
            for program in row.services:
                wait_unfit(parley, program, row, 0)
        for row in FOUND:
            with row.fault(parley, "kafka"):
                parley.wait_ready()
                wait_chatting(load)
        load.stop_sending()
        load.assert_clean(READY_S)


@pytest.mark.timeout(3000)
def test_a_kafka_that_takes_no_message_is_told_to_each_sender(parley: Parley):
    """Such a refusal is final (ADR 0017), and nothing else is wrong."""
    with Load(parley.stack, **USERS) as load:
        load.wait_sending()
        for row in KAFKA_REFUSES_MESSAGES:
            with row.fault(parley, "kafka"):
                for program in row.services:
                    wait_for_reason(parley, program, "kafka", "down", row)
            parley.wait_ready()
            wait_chatting(load)
        load.stop_sending()
        verdict = load.verdict(READY_S)
        assert {name for name in FAULTS if verdict[name]} == {"refused"}, one_line(verdict)


@pytest.mark.timeout(3000)
def test_clients_fetch_the_messages_whose_events_kafka_deleted(parley: Parley):
    """Kafka is silent for the gateway, and deletes the events of that time. Each socket is told,
    and no turn of the gateway waits for the new ends, which Kafka gives it late."""
    gateway, persistence = parley.services[GATEWAY], parley.services[PERSISTENCE]
    before = len(gateway.events("events.lost"))

    def lost() -> int:
        return len(gateway.events("events.lost")) - before

    with Load(parley.stack, **USERS, cuts=0) as load:
        load.wait_sending()
        load.wait_sockets()
        with open_socket(parley.stack.ws_url, Api(parley.stack.url).register()) as socket:
            assert persistence.stop() == 0
            load.wait_more(ACCEPTED, MORE)
            with faults.hangs_later(parley, "kafka"), parley.beside_the_link(PERSISTENCE):
                faults.wait_all_saved(parley)
                faults.delete_events(parley)
                faults.slow(parley, "kafka")
                assert socket.closed() == (1013, "read the backlog again")
                until("each partition's loss is logged", lambda: lost() == PARTITIONS)
        parley.wait_ready()
        load.wait_sockets()
        wait_chatting(load)
        assert lost() == PARTITIONS
        gateway.check_turns()
        load.stop_sending()
        load.assert_clean(READY_S)


# --- without work ---------------------------------------------------------------------------------
NEEDED = (("kafka", "kafka", (GATEWAY, PERSISTENCE), KAFKA),
          ("mysql", "mysql", BOTH, MARIADB))


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name, part, programs, table", NEEDED, ids=[row[0] for row in NEEDED])
def test_services_without_work_notice_what_misbehaves(
        parley: Parley, name: str, part: str, programs: tuple[str, ...], table: tuple[Row, ...]):
    parley.wait_ready()
    for row in table:
        with row.fault(parley, name):
            for program in programs:
                wait_for_reason(parley, program, part, "down", row)
        parley.wait_ready()
    for row in FOUND:
        with row.fault(parley, name):
            parley.wait_ready()


# --- a start ------------------------------------------------------------------------------------
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("program", [IDENTITY, PERSISTENCE, GATEWAY])
def test_a_service_starts_while_each_name_is_resolved_late(parley: Parley, program: str):
    parley.names.delay_s = 5
    try:
        parley.restart(program)
        parley.wait_ready()
    finally:
        parley.names.delay_s = 0
    api = Api(parley.stack.url)
    one, two = api.register(), api.register()
    with until("a socket opens", lambda: open_socket(parley.stack.ws_url, one)) as sender, \
            open_socket(parley.stack.ws_url, two) as receiver:
        uuid = sender.say(two.id, "after a slow start")
        sender.saved(uuid)
        receiver.expect(type="message", uuid=uuid)
