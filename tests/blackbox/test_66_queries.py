"""Queries of gateways about rooms are answered apart from saves: no save waits for them."""

import httpx
import pymysql
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.api import Api, Person
from support.stack import Stack
from support.wait import HANG_S, until

WAITING = ("SELECT COUNT(*) FROM information_schema.processlist"
           " WHERE info LIKE 'SELECT l.user, %' AND state LIKE 'Waiting%'")


def pending_users(stack: Stack) -> float:
    text = httpx.get(stack.admin_url("websocket-service") + "/metrics", trust_env=False,
                     timeout=HANG_S).text
    return next(sample.value for family in text_string_to_metric_families(text)
                for sample in family.samples if sample.name == "parley_rooms_pending_users")


@pytest.mark.alone
def test_messages_are_saved_while_a_query_waits_for_a_lock(
        stack: Stack, api: Api, alice: Person, bob: Person, enter):
    ours = enter(alice)
    ours.saved(ours.say(bob.id, "before"))
    until("the rooms are known", lambda: pending_users(stack) == 0)
    user, password = stack.make_database_admin()
    with pymysql.connect(host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=user,
                         password=password, database="chat", autocommit=True) as connection, \
            connection.cursor() as cursor:
        cursor.execute("LOCK TABLES large_members WRITE")
        enter(bob)

        def waits() -> int:
            cursor.execute(WAITING)
            return cursor.fetchone()[0]

        until("the query waits", waits)
        for number in range(20):
            ours.saved(ours.say(bob.id, f"meanwhile {number}"))
        assert waits()
        cursor.execute("UNLOCK TABLES")
    until("the rooms are known", lambda: pending_users(stack) == 0)
