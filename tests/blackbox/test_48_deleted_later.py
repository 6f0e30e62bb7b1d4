"""Users who delete their account while a service is away: late, but never lost. The file is one of
its own, because each test starts several services."""

from contextlib import ExitStack

import pymysql
import pytest

from support.api import Api
from support.conversations import make
from support.deletion import delete
from support.parts import own_database
from support.service import Service, apart
from support.stack import Stack
from support.stores import rows
from support.wait import until

MANY = 10_100  # more than DELETED_PAGE_MAX in common/wire/identity.h


class Alone:
    """A persistence-service with a database and topics of its own, and the groups of one owner."""

    def __init__(self, stack: Stack, exits: ExitStack, api: Api, groups: int, **settings: str):
        self.stack = stack
        self.settings = exits.enter_context(own_database(stack, f"deleted_{stack.free_port()}"))
        self.settings |= apart(stack) | settings
        self.owner, self.heir = api.register(), api.register()
        with self.service() as persistence:
            rest = Api(persistence.url)
            self.groups = [make(rest, self.owner, self.heir).id for _ in range(groups)]
            rest.close()

    def service(self, **changes: str) -> Service:
        return Service(self.stack, "persistence-service", **(self.settings | changes))

    def rows(self, statement: str, *values: object) -> list[tuple]:
        with pymysql.connect(host="127.0.0.1", port=self.stack.port("MYSQL_PORT"),
                             user=self.settings["MYSQL_USER"],
                             password=self.settings["MYSQL_PASSWORD"],
                             database=self.settings["PERSISTENCE_DATABASE"]) as connection:
            cursor = connection.cursor()
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def owned(self) -> int:
        """Groups that the owner has not left."""
        return len(self.rows("SELECT 1 FROM members WHERE user = %s", self.owner.id))

    def untold(self) -> int:
        """Entries that wait for Kafka."""
        return len(self.rows("SELECT 1 FROM outbox WHERE body LIKE '%%\"left\"%%'"))

    def assert_left_once(self) -> None:
        until("all are left", lambda: self.owned() == 0)
        assert self.rows("SELECT role, COUNT(*) FROM members WHERE user = %s GROUP BY role",
                         self.heir.id) == [(3, len(self.groups))]
        assert self.rows("SELECT conversation, COUNT(*) FROM messages WHERE sender = %s AND body"
                         " LIKE '%%\"left\"%%' GROUP BY conversation ORDER BY 1",
                         self.owner.id) == [(group, 1) for group in self.groups]


def test_no_deletion_is_lost_while_persistence_is_away(stack: Stack, api: Api):
    with ExitStack() as exits:
        alone = Alone(stack, exits, api, 3)
        delete(api, alone.owner)
        with alone.service():
            alone.assert_left_once()


def test_a_persistence_that_is_killed_goes_on_afterwards(stack: Stack, api: Api):
    with ExitStack() as exits:
        alone = Alone(stack, exits, api, 40)
        persistence = exits.enter_context(alone.service())
        delete(api, alone.owner)
        until("it has begun", lambda: alone.owned() < len(alone.groups))
        persistence.kill()
        persistence.start().ready()
        alone.assert_left_once()


def test_two_persistence_services_do_it_once(stack: Stack, api: Api):
    with ExitStack() as exits:
        alone = Alone(stack, exits, api, 20)
        exits.enter_context(alone.service())
        exits.enter_context(alone.service(PERSISTENCE_INSTANCE="second"))
        delete(api, alone.owner)
        alone.assert_left_once()


def test_no_deletion_is_lost_while_identity_is_away(stack: Stack, api: Api):
    """The account is deleted through one instance; the one that persistence asks is down."""
    with ExitStack() as exits:
        alone = Alone(stack, exits, api, 3)
        asked = exits.enter_context(Service(stack, "identity-service"))
        exits.enter_context(alone.service(IDENTITY_URL=asked.url))
        asked.kill()
        delete(api, alone.owner)
        assert alone.owned() == len(alone.groups)
        asked.start().ready()
        alone.assert_left_once()


def test_a_service_that_was_cut_off_adds_a_deleted_user_for_some_hours_only(
        stack: Stack, api: Api):
    """It has the user cached. Three hours after the deletion the other service looks again."""
    with ExitStack() as exits:
        alone = Alone(stack, exits, api, 1)
        connected = exits.enter_context(alone.service())
        identity = exits.enter_context(Service(stack, "identity-service"))
        cut_off = exits.enter_context(alone.service(
            PERSISTENCE_INSTANCE="second", IDENTITY_URL=identity.url))
        rest = Api(cut_off.url)
        exits.callback(rest.close)
        group = make(rest, alone.heir)
        until("it is cached that the user exists", lambda: rest.ask(
            "PUT", f"/blocks/{alone.owner.id}", alone.heir).status_code == 204)
        assert rest.ask("DELETE", f"/blocks/{alone.owner.id}", alone.heir).status_code == 204
        until("both lists were read", lambda: len(alone.rows(
            "SELECT 1 FROM deleted_users_cursor")) == 2)
        identity.kill()
        delete(api, alone.owner)
        until("all are left", lambda: alone.owned() == 0)
        connected.kill()
        assert group.ask("POST", "/members", alone.heir,
                         json={"users": [alone.owner.id]}).status_code == 200
        cut_off.kill()
        assert alone.owned() == 1
        rows(stack, "UPDATE users SET deleted_at = NOW(3) - INTERVAL 3 HOUR WHERE id = %s",
             (alone.owner.id,), name="identity")
        connected.start().ready()
        until("the user has left again", lambda: alone.owned() == 0)


@pytest.mark.prove
def test_very_many_deletions_are_done_and_later_ones_too(stack: Stack, api: Api):
    """The deleted users fill more than a page, so persistence handles some of them twice."""
    with ExitStack() as exits:
        own = exits.enter_context(own_database(stack, f"many_deleted_{stack.free_port()}"))
        name = own.pop("PERSISTENCE_DATABASE")
        identity = exits.enter_context(Service(stack, "identity-service", IDENTITY_DATABASE=name,
                                               **own))
        direct = Api(identity.url)
        exits.callback(direct.close)
        alone = Alone(stack, exits, direct, 2, IDENTITY_URL=identity.url)
        with pymysql.connect(host="127.0.0.1", port=stack.port("MYSQL_PORT"), database=name,
                             user=own["MYSQL_USER"], password=own["MYSQL_PASSWORD"],
                             autocommit=True) as connection:
            connection.cursor().executemany(
                "INSERT INTO users (name, name_key, password_hash, deleted_at)"
                " VALUES (%s, NULL, '', NOW(3))", [("",)] * MANY)
        with alone.service() as persistence:
            delete(direct, alone.owner)
            alone.assert_left_once()
            assert len(persistence.events("deleted_user.left")) == 1
            assert persistence.events("deleted_users.waiting") == []


def test_groups_are_left_while_kafka_is_away(stack: Stack, api: Api):
    """The members learn of it afterwards."""
    with ExitStack() as exits:
        alone = Alone(stack, exits, api, 3)
        delete(api, alone.owner)
        cut_off = alone.service(KAFKA_BROKERS=f"127.0.0.1:{stack.free_port()}").start()
        exits.callback(cut_off.stop)
        alone.assert_left_once()
        assert alone.untold() == len(alone.groups)
        with alone.service(PERSISTENCE_INSTANCE="second"):
            until("they are told", lambda: alone.untold() == 0)
