"""parts - two gateways and two persistence processes beside the stack, with topics and a
database of their own: a process of the stack would publish records of the outbox to another
topic, and its conversations have the same ids."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pymysql

from support.api import Api
from support.service import Service
from support.stack import Stack


@contextmanager
def own_database(stack: Stack, name: str) -> Iterator[dict[str, str]]:
    """An empty database; the settings of a persistence that uses it."""
    user, password = stack.make_database_admin()
    with pymysql.connect(host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=user,
                         password=password, autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE {name}")
        yield {"PERSISTENCE_DATABASE": name, "MYSQL_USER": user,
               "MYSQL_PASSWORD": password, "MYSQL_PASSWORD_FILE": ""}
        cursor.execute(f"DROP DATABASE {name}")


class Parts:
    """Two gateways, two persistence processes, and the REST of each of these."""
    def __init__(self, stack: Stack, exits: ExitStack, name: str, **settings: str):
        self.topic = stack.make_topic(f"{name}_save")
        shared = settings | {"KAFKA_TOPIC_SAVE": self.topic,
                             "KAFKA_TOPIC_EVENTS": stack.make_topic(f"{name}_events")}
        database = exits.enter_context(own_database(stack, self.topic))
        self.persistence = [exits.enter_context(Service(
            stack, "persistence-service", PERSISTENCE_GROUP=self.topic,
            PERSISTENCE_INSTANCE=f"{self.topic}-{n}", **shared, **database)) for n in range(2)]
        self.gateways = [exits.enter_context(Service(
            stack, "websocket-service", WEBSOCKET_USER_RATE="0", **shared)) for _ in range(2)]
        self.rest = [Api(service.url) for service in self.persistence]
        for api in self.rest:
            exits.callback(api.close)


@contextmanager
def parts_of(stack: Stack, name: str, **settings: str) -> Iterator[Parts]:
    stack.wait_ready()
    with ExitStack() as exits:
        yield Parts(stack, exits, name, **settings)
