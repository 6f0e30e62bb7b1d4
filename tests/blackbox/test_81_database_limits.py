"""A database server that takes only small requests."""

from collections.abc import Iterator

import pymysql
import pytest

from support.api import Person
from support.apart import Apart
from support.chat import Socket
from support.stack import Stack

MESSAGES, TEXT, LARGEST = 60, 4_000, 16_000


@pytest.fixture
def limit(stack: Stack) -> Iterator[pymysql.cursors.Cursor]:
    """Sets the server's max_allowed_packet; the value from before returns at the end."""
    user, password = stack.make_database_admin()
    with pymysql.connect(host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=user,
                         password=password) as admin, admin.cursor() as cursor:
        cursor.execute("SELECT @@global.max_allowed_packet")
        (before,) = cursor.fetchone()
        yield cursor
        cursor.execute(f"SET GLOBAL max_allowed_packet = {before}")


@pytest.mark.alone
def test_a_batch_larger_than_the_server_takes_is_saved_in_parts(
        stack: Stack, limit, alice: Person, bob: Person, enter):
    """The records wait while persistence is away, so that one batch has them all."""
    with Apart(stack) as parts:
        socket: Socket = enter(alice, parts.ws_url)
        for packet, largest_fits in ((65536, True), (8192, False)):
            check_batch(parts, limit, socket, bob, packet, largest_fits)


def check_batch(parts: Apart, limit, socket: Socket, bob: Person, packet: int,
                largest_fits: bool) -> None:
    parts.persistence.stop()
    uuids = [socket.say(bob.id, "x" * TEXT) for _ in range(MESSAGES // 2)]
    largest = socket.say(bob.id, "y" * LARGEST)
    uuids += [socket.say(bob.id, "x" * TEXT) for _ in range(MESSAGES // 2)]
    for uuid in (*uuids, largest):
        socket.expect(type="state", uuid=uuid, state="accepted")
    limit.execute(f"SET GLOBAL max_allowed_packet = {packet}")
    parts.persistence.start()
    seqs = [socket.saved(uuid)["seq"] for uuid in uuids]
    assert seqs == sorted(seqs)
    if largest_fits:
        socket.saved(largest)
    else:
        socket.refused(largest, "not_storable")
