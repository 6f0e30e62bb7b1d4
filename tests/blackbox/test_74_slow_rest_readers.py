"""Clients that ask for the largest REST answers and do not read them: what a service
holds for them is bounded, and the answers to other users are not affected."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from support.api import Api, Person, check_problem
from support.process_memory import is_own, most_resident, resident
from support.service import Service
from support.stack import Stack
from support.stores import database
from support.wait import until

MESSAGES = 200
USERS = 20
READERS = 200
MIB = 1 << 20
UNREAD_MAX = 24 * MIB  # persistence-service/rest/api.c
# Of all memory of persistence.
MEMORY_MAX = 128 * MIB


@pytest.fixture(scope="module")
def users(shared_api: Api) -> list[Person]:
    return [shared_api.register() for _ in range(USERS)]


@pytest.fixture(scope="module")
def crowd(stack: Stack, users: list[Person]) -> int:
    """A group of the users, with the messages that are longest as JSON."""
    with database(stack) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO conversations (kind, ckey, name, created_by, created_at,"
                       " last_seq, member_count) VALUES (2, UUID(), 'x', %s, NOW(3), %s, %s)",
                       (users[0].id, MESSAGES, USERS))
        group = cursor.lastrowid
        cursor.execute("UPDATE conversations SET ckey = CONCAT('c:', id) WHERE id = %s", (group,))
        cursor.executemany("INSERT INTO members (user, conversation, joined_at)"
                           " VALUES (%s, %s, NOW(3))", [(user.id, group) for user in users])
        for seq in range(1, MESSAGES + 1):
            cursor.execute("INSERT INTO messages (conversation, seq, sender, uuid, created_at,"
                           " body) VALUES (%s, %s, %s, UNHEX(REPLACE(UUID(), '-', '')), NOW(3),"
                           " REPEAT(CHAR(1), 16000))", (group, seq, users[0].id))
        cursor.execute("UPDATE conversations SET last_message_id = (SELECT MAX(id) FROM messages"
                       " WHERE conversation = %s) WHERE id = %s", (group, group))
    return group


@pytest.fixture
def service(stack: Stack) -> Iterator[Service]:
    """Without the limit of requests, which would hide the limit of answers."""
    with Service(stack, "persistence-service", PERSISTENCE_USER_RATE="0") as service:
        yield service


def ask_without_reading(port: int, person: Person, path: str) -> socket.socket:
    tcp = socket.socket()
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    tcp.connect(("127.0.0.1", port))
    tcp.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {person.token}\r\n\r\n".encode())
    return tcp


PATHS = {
    "messages": "/conversations/{group}/messages?limit=200",
    "messages before": "/conversations/{group}/messages?before=999&limit=200",
    "conversations": "/conversations?limit=200",
    "sync": "/sync",
    "members": "/conversations/{group}/members?limit=200",
    "several requests on one connection": "/conversations/{group}/messages?limit=200"
        " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        "GET /conversations/{group}/messages?limit=200",
}


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_slow_readers_take_bounded_memory(path: str, service: Service, stack: Stack,
                                          users: list[Person], crowd: int, alice: Person):
    before = resident(service.child.pid)
    healthy = Api(service.url)
    with ExitStack() as opened:
        for number in range(READERS):
            person = users[number % USERS]
            opened.enter_context(ask_without_reading(
                service.port, person, path.format(group=crowd, token=person.token)))
            if number % 10 == 0:
                assert healthy.conversations(alice)["conversations"] == []
                assert service.metric("parley_http_unread_bytes") <= UNREAD_MAX
        assert healthy.conversations(alice)["conversations"] == []
        # A user who reads gets the largest answers as well, after a retry at most.
        until("a large answer is read", lambda: healthy.ask(
            "GET", f"/conversations/{crowd}/messages?limit=200", users[-1]).status_code == 200)
        if is_own(service.binary):
            peak = most_resident(service.child.pid)
            assert peak < MEMORY_MAX, f"{peak / MIB:.0f} MiB, {before / MIB:.0f} before"
    until("nothing waits any more", lambda: service.metric("parley_http_unread_bytes") == 0)
    healthy.close()


def workers_of_nginx(stack: Stack) -> list[int]:
    master = stack.pid("nginx")
    with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as children:
        return [int(pid) for pid in children.read().split()]


@pytest.mark.slow
@pytest.mark.alone
def test_slow_readers_behind_nginx_take_bounded_memory(stack: Stack, users: list[Person],
                                                       crowd: int, alice: Person, api: Api):
    """nginx has eight buffers of 8 KiB for each; the rest waits in the service."""
    def nginx() -> int:
        return sum(resident(pid) for pid in workers_of_nginx(stack))

    before = nginx()
    with ExitStack() as opened:
        for number in range(READERS):
            opened.enter_context(ask_without_reading(
                stack.port("PARLEY_PORT"), users[number % USERS],
                f"/conversations/{crowd}/messages?limit=200"))
            if number % 10 == 0:
                assert api.conversations(alice)["conversations"] == []
        until("a large answer is read", lambda: api.ask(
            "GET", f"/conversations/{crowd}/messages?limit=200", users[-1]).status_code == 200)
        assert nginx() - before < READERS * 128 * 1024
        if is_own(stack.binary("persistence-service")):
            assert resident(stack.pid("persistence-service")) < MEMORY_MAX


def test_a_user_who_does_not_read_is_refused(service: Service, users: list[Person], crowd: int):
    """Until the user reads or hangs up; other users are not affected."""
    path = f"/conversations/{crowd}/messages?limit=200"
    api = Api(service.url)
    lazy, other = users[:2]
    with ExitStack() as opened:
        def refused() -> httpx.Response | None:
            opened.enter_context(ask_without_reading(service.port, lazy, path))
            answer = api.ask("GET", path, lazy)
            return answer if answer.status_code == 429 else None

        check_problem(until("the user is refused", refused), 429)
        assert api.ask("GET", path, other).status_code == 200
    until("the user may ask again", lambda: api.ask("GET", path, lazy).status_code == 200)
    api.close()


def test_pages_of_long_messages_are_complete(service: Service, users: list[Person], crowd: int):
    """A page ends early; its `next` continues."""
    api = Api(service.url)
    first = api.messages(users[0], crowd, limit=200)
    assert 0 < len(first["messages"]) < MESSAGES
    found = api.all_messages(users[0], crowd)
    assert [message["seq"] for message in found] == list(range(1, MESSAGES + 1))
    assert {message["message"] for message in found} == {"\x01" * 16000}
    api.close()
