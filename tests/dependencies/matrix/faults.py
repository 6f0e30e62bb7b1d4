"""faults - the ways in which a dependency misbehaves. Each is a context manager.

Faults of the link are put on at both addresses of the dependency, or at the first one. Faults of
the server are those of the real one: its own settings make it refuse.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pymysql
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from matrix.parley import HOMES, Parley, host
from support.stack import PARTITIONS
from support.stores import hints
from support.topics import Topics
from support.wait import HANG_S, until

Fault = Callable[[Parley, str], AbstractContextManager]


def on_link(**toxics) -> Fault:
    @contextmanager
    def fault(parley: Parley, name: str) -> Iterator[None]:
        parley.put(name, HOMES[0], **toxics)
        try:
            yield
        finally:
            parley.take(name, HOMES[0])
    return fault


refused = on_link(refuse=True)
# SYNs get no answer, and open connections are silent.
dropped = on_link(deaf=True, blackhole=True)
hangs_later = on_link(blackhole=True)


@contextmanager
def hangs_at_once(parley: Parley, name: str) -> Iterator[None]:
    """Every connection is accepted, and then silent."""
    parley.put(name, HOMES[0], cut=True)
    with hangs_later(parley, name):
        yield


def cut(parley: Parley, name: str) -> None:
    """Resets the open connections; new ones are healthy."""
    parley.put(name, HOMES[0], cut=True)
    parley.take(name, HOMES[0])


def answers(text: str) -> Fault:
    """Something else answers."""
    return on_link(answers=text)


def says(text: str) -> Fault:
    """Something else speaks first."""
    return on_link(says=text)


# --- names: the dependency works, but it is elsewhere, or hard to find ----------------------
@contextmanager
def resolved_late(parley: Parley, name: str) -> Iterator[None]:
    """Each look-up takes 5 s, and all connections are lost."""
    parley.names.delay_s = 5
    cut(parley, name)
    try:
        yield
    finally:
        parley.names.delay_s = 0


@contextmanager
def not_resolved(parley: Parley, name: str) -> Iterator[None]:
    parley.names.fails = True
    cut(parley, name)
    try:
        yield
    finally:
        parley.names.fails = False


@contextmanager
def moved(parley: Parley, name: str) -> Iterator[None]:
    """The name leads to the second address, and the first one is silent."""
    parley.take(name, HOMES[1])
    parley.names.answers[host(name)] = HOMES[1]
    try:
        with dropped(parley, name):
            yield
    finally:
        parley.names.answers[host(name)] = HOMES[0]
        parley.put(name, HOMES[1], refuse=True)


# --- the processes of the servers -----------------------------------------------------------
@contextmanager
def stopped(parley: Parley, name: str) -> Iterator[None]:
    program = {"mysql": "mariadb"}.get(name, name)
    pid = parley.stack.pid(program)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


# --- Redis ----------------------------------------------------------------------------------
def redis_config(**changes: str) -> Fault:
    @contextmanager
    def fault(parley: Parley, _: str) -> Iterator[None]:
        with hints(parley.stack) as redis:
            before = {option: redis.config_get(option)[option] for option in changes}
            for option, value in changes.items():
                redis.config_set(option, value)
            try:
                yield
            finally:
                for option, value in reversed(before.items()):
                    redis.config_set(option, value)
    return fault


out_of_memory = redis_config(**{"maxmemory-policy": "noeviction", "maxmemory": "1"})


@contextmanager
def replica(parley: Parley, _: str) -> Iterator[None]:
    with hints(parley.stack) as redis:
        redis.replicaof("127.0.0.1", 1)
        try:
            yield
        finally:
            redis.replicaof("NO", "ONE")


@contextmanager
def no_permission(parley: Parley, _: str) -> Iterator[None]:
    with hints(parley.stack) as redis:
        redis.acl_setuser("default", commands=["-zadd"], enabled=True, keys=["*"])
        try:
            yield
        finally:
            redis.execute_command("ACL", "SETUSER", "default", "+@all", "~*", "&*")


@contextmanager
def other_password(parley: Parley, name: str) -> Iterator[None]:
    with hints(parley.stack) as redis:
        before = redis.config_get("requirepass")["requirepass"]
        redis.config_set("requirepass", "another")
        cut(parley, name)
        try:
            yield
        finally:
            redis.config_set("requirepass", before)


@contextmanager
def few_clients(parley: Parley, name: str) -> Iterator[None]:
    with redis_config(maxclients="1")(parley, name):
        cut(parley, name)
        yield


# --- MariaDB --------------------------------------------------------------------------------
def administrator(parley: Parley) -> pymysql.Connection:
    user, password = parley.stack.make_database_admin()
    return pymysql.connect(host="127.0.0.1", port=parley.stack.port("MYSQL_PORT"), user=user,
                           password=password, autocommit=True, connect_timeout=HANG_S)


def mariadb(do: str, undo: str) -> Fault:
    @contextmanager
    def fault(parley: Parley, _: str) -> Iterator[None]:
        with administrator(parley) as connection, connection.cursor() as cursor:
            cursor.execute(do)
            try:
                yield
            finally:
                cursor.execute(undo)
    return fault


read_only = mariadb("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0")
locked = mariadb("FLUSH TABLES WITH READ LOCK", "UNLOCK TABLES")


def of_the_services(parley: Parley, cursor: pymysql.cursors.Cursor) -> tuple[str, list[str]]:
    """The user of the services, as SQL names it, and the databases that it may use."""
    name = parley.stack.settings["MYSQL_USER"]
    cursor.execute("SELECT Host FROM mysql.user WHERE User = %s", (name,))
    (host_of_user,), = cursor.fetchall()
    cursor.execute("SELECT Db FROM mysql.db WHERE User = %s", (name,))
    return f"'{name}'@'{host_of_user}'", [database for database, in cursor.fetchall()]


@contextmanager
def other_database_password(parley: Parley, name: str) -> Iterator[None]:
    with parley.stack.database_root() as connection, connection.cursor() as cursor:
        user, _ = of_the_services(parley, cursor)
        cursor.execute(f"ALTER USER {user} IDENTIFIED BY 'another'")
        cut(parley, name)
        try:
            yield
        finally:
            cursor.execute(f"ALTER USER {user} IDENTIFIED BY %s", (parley.stack.secret("mysql"),))


@contextmanager
def no_right_to_write(parley: Parley, name: str) -> Iterator[None]:
    with parley.stack.database_root() as connection, connection.cursor() as cursor:
        user, databases = of_the_services(parley, cursor)
        for database in databases:
            cursor.execute(f"REVOKE INSERT, UPDATE ON `{database}`.* FROM {user}")
        cut(parley, name)
        try:
            yield
        finally:
            for database in databases:
                cursor.execute(f"GRANT INSERT, UPDATE ON `{database}`.* TO {user}")
            cut(parley, name)


@contextmanager
def small_packets(parley: Parley, name: str) -> Iterator[None]:
    """Every new connection takes no larger statement."""
    with administrator(parley) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.max_allowed_packet")
        before = cursor.fetchone()[0]
        cursor.execute("SET GLOBAL max_allowed_packet = 16384")
        cut(parley, name)
        try:
            yield
        finally:
            cursor.execute(f"SET GLOBAL max_allowed_packet = {before}")
            cut(parley, name)


@contextmanager
def moved_while_saving(parley: Parley, name: str) -> Iterator[None]:
    """The server never hears that the client of an open transaction is gone."""
    with administrator(parley) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM chat.conversations WHERE kind <> 1"
                       " ORDER BY last_message_id DESC LIMIT 1")
        busy, = cursor.fetchone()
        cursor.execute("BEGIN")
        cursor.execute("SELECT id FROM chat.conversations WHERE id = %s FOR UPDATE", (busy,))

        def waits() -> bool:
            # Not innodb_trx, which stays as it is while it is asked more than ten times a second.
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
            return cursor.fetchone()[1] != "0"

        until("a transaction of persistence waits", waits)
        with moved(parley, name):
            cursor.execute("ROLLBACK")  # the transaction takes its locks, and its client is away
            yield


@contextmanager
def few_connections(parley: Parley, name: str) -> Iterator[None]:
    """Others hold all connections of the server."""
    user, password = parley.stack.make_database_admin()
    with administrator(parley) as keeper, keeper.cursor() as cursor, ExitStack() as others:
        cursor.execute("SELECT @@max_connections")
        before = cursor.fetchone()[0]
        cursor.execute("SET GLOBAL max_connections = 10")
        with refused(parley, name):  # frees the connections of the services
            try:
                while True:
                    others.enter_context(pymysql.connect(
                        host="127.0.0.1", port=parley.stack.port("MYSQL_PORT"), user=user,
                        password=password))
            except pymysql.err.OperationalError:
                pass
        try:
            yield
        finally:
            cursor.execute(f"SET GLOBAL max_connections = {before}")


# --- Kafka ----------------------------------------------------------------------------------
def topic_setting(topic: str, option: str, value: str) -> Fault:
    @contextmanager
    def fault(parley: Parley, _: str) -> Iterator[None]:
        topics = Topics(parley.stack)
        topics.set(topic, option, value)
        try:
            yield
        finally:
            topics.set(topic, option, None)
    return fault


def not_authorised(topic: str) -> Fault:
    """No client may write to the topic."""
    @contextmanager
    def fault(parley: Parley, _: str) -> Iterator[None]:
        admin = Topics(parley.stack).admin
        bindings = [AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:*",
                               "*", operation, permission)
                    for operation, permission in ((AclOperation.ALL, AclPermissionType.ALLOW),
                                                  (AclOperation.WRITE, AclPermissionType.DENY))]
        for made in admin.create_acls(bindings).values():
            made.result(HANG_S)
        try:
            yield
        finally:
            every = AclBindingFilter(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, None,
                                     None, AclOperation.ANY, AclPermissionType.ANY)
            admin.delete_acls([every])[every].result(HANG_S)
    return fault


def slow(parley: Parley, name: str) -> None:
    """In place of another fault: each answer takes longer than a loop may sleep."""
    parley.put(name, HOMES[0], delay_ms=400)


def wait_all_saved(parley: Parley) -> None:
    """Until persistence has saved each message that Kafka has, and has sent the events."""
    consumer = Consumer({"bootstrap.servers": parley.broker, "group.id": "persistence",
                         "enable.auto.commit": False})
    partitions = [TopicPartition("message_save", number) for number in range(PARTITIONS)]

    def saved() -> bool:
        ends = [consumer.get_watermark_offsets(each, timeout=HANG_S)[1] for each in partitions]
        done = consumer.committed(partitions, timeout=HANG_S)
        return all(end in (0, each.offset) for each, end in zip(done, ends))

    try:
        until("all messages are saved", saved)
    finally:
        consumer.close()


def delete_events(parley: Parley) -> None:
    """Of each partition at least one, which the test itself makes."""
    producer = Producer({"bootstrap.servers": parley.broker})
    for partition in range(PARTITIONS):
        producer.produce("message_events", key="0", value=b'{"type":"made-up"}',
                         partition=partition)
    assert producer.flush(HANG_S) == 0
    ends = [TopicPartition("message_events", number, OFFSET_END) for number in range(PARTITIONS)]
    topics = Topics(parley.stack)  # it ends its work when it goes
    for deleted in topics.admin.delete_records(ends).values():
        deleted.result(timeout=HANG_S)
