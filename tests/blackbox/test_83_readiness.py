"""A service without work knows that a server is gone, or takes no writes, and says why; without a restart it is ready
again when the server is back."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pymysql
import pytest

from support.brokers import Brokers
from support.service import Service, environment
from support.stack import Stack
from support.wait import HANG_S, until

pytestmark = pytest.mark.alone
GATEWAY, PERSISTENCE, IDENTITY = "websocket-service", "persistence-service", "identity-service"


# --- one server of each kind ---------------------------------------------------------------
@contextmanager
def stopped(stack: Stack, program: str) -> Iterator[None]:
    """Its connections stay open and silent; new ones are accepted by the kernel."""
    pid = stack.pid(program)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def away(stack: Stack, program: str) -> Iterator[None]:
    stack.stop(program)
    try:
        yield
    finally:
        stack.start(program)


@contextmanager
def changed(stack: Stack, do: str, undo: str) -> Iterator[None]:
    """The administrator changes the server; the connections of the services stay open."""
    user, password = stack.make_database_admin()
    with pymysql.connect(host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=user,
                         password=password) as connection, connection.cursor() as cursor:
        cursor.execute(do)
        try:
            yield
        finally:
            cursor.execute(undo)


def read_only(stack: Stack, _program: str) -> AbstractContextManager:
    return changed(stack, "SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0")


def locked(stack: Stack, _program: str) -> AbstractContextManager:
    """As a backup that takes too long."""
    return changed(stack, "FLUSH TABLES WITH READ LOCK", "UNLOCK TABLES")


LOST = "Lost connection|gone away|handshake"
ROWS = [
    # the server, its fault, the services that need it, their part, the reason
    ("kafka", away, (GATEWAY, PERSISTENCE), "kafka", "^no answer from .*Connection refused$"),
    ("mariadb", read_only, (PERSISTENCE, IDENTITY), "mysql", "read-only"),
    ("kafka", stopped, (GATEWAY, PERSISTENCE), "kafka", "^no answer from 127.0.0.1:"),
    ("mariadb", away, (PERSISTENCE, IDENTITY), "mysql", "Can't connect"),
    ("mariadb", stopped, (PERSISTENCE, IDENTITY), "mysql", LOST),
    ("mariadb", locked, (PERSISTENCE, IDENTITY), "mysql", "Lost connection|Lock wait"),
]
QUICK = 2  # of these, in `make test`


def readiness(stack: Stack, program: str) -> dict:
    port = stack.port(program.removesuffix("-service").upper() + "_ADMIN_PORT")
    return Service.ask_port(port, "/readyz").json()


def says(answer: dict, part: str, why: str) -> bool:
    return not answer["ready"] and answer["parts"][part] == "down" and \
        re.search(why, answer["why"][part]) is not None


@pytest.mark.parametrize("server, fault, programs, part, why", [
    pytest.param(*row, id=f"{row[0]}-{row[1].__name__}",
                 marks=() if at < QUICK else pytest.mark.prove) for at, row in enumerate(ROWS)])
def test_a_server_that_is_gone_is_noticed_without_work(
        stack: Stack, server: str, fault: Callable, programs: tuple[str, ...], part: str,
        why: str):
    stack.wait_ready()
    with fault(stack, server):
        for program in programs:
            until(f"{program} says {part} is down: {why}",
                  lambda: says(readiness(stack, program), part, why))
    stack.wait_ready()


@pytest.mark.prove
def test_a_redis_that_is_gone_is_noticed_without_work(stack: Stack):
    """It is a hint: the gateway stays ready."""
    for fault in (away, stopped):
        with fault(stack, "redis"):
            until("the gateway says that redis is degraded",
                  lambda: readiness(stack, GATEWAY)["parts"]["redis"] == "degraded")
            answer = readiness(stack, GATEWAY)
            assert answer["ready"] and answer["why"]["redis"]
        until("redis is up", lambda: readiness(stack, GATEWAY)["parts"]["redis"] == "up")


# --- three brokers -------------------------------------------------------------------------
class Quiet:
    """A gateway and a persistence on three brokers, and nothing to do."""

    def __init__(self, stack: Stack, brokers: Brokers):
        self.brokers = brokers
        settings = {"KAFKA_BROKERS": brokers.addresses, "KAFKA_REPLICATION": "3"}
        subprocess.run([stack.binary(PERSISTENCE), "--init-topics"],
                       env=environment(stack, **settings), stdout=subprocess.DEVNULL,
                       timeout=HANG_S, check=True)
        self.services = [Service(stack, GATEWAY, **settings),
                         Service(stack, PERSISTENCE, PERSISTENCE_INSTANCE="quiet", **settings)]

    def __enter__(self) -> "Quiet":
        for service in self.services:
            service.start()
        for service in self.services:
            service.ready()
        return self

    def __exit__(self, *_) -> None:
        for service in self.services:
            service.stop()

    def wait_good(self) -> None:
        """Until both have asked the brokers that are left, with a good answer."""
        for service in self.services:
            def good() -> int:
                return int(service.metric("parley_kafka_checks") -
                           service.metric("parley_kafka_checks_failed"))
            before = good()
            until("two more checks are good", lambda: good() >= before + 2)

    def assert_up(self) -> None:
        for service in self.services:
            assert service.readiness()["parts"]["kafka"] == "up"
            assert service.events("dependency.down") == [] or \
                service.events("dependency.down")[-1]["time"] < \
                service.events("dependency.up")[-1]["time"]

    def wait_down(self, why: str) -> None:
        for service in self.services:
            until(f"{service.program}: {why}",
                  lambda: says(service.readiness(), "kafka", why))

    def wait_up(self) -> None:
        for service in self.services:
            service.ready()


IN_SYNC = r"^topic message_(save|events): partition \d+ has 1 of 3 replicas in sync, " \
          r"min\.insync\.replicas is 2$"


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_one_of_three_brokers_may_be_away_and_two_may_not(stack: Stack):
    with Brokers(stack) as brokers, Quiet(stack, brokers) as quiet:
        quiet.wait_good()
        quiet.assert_up()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            brokers.send(2, number)
            brokers.wait_in_sync(2)
            quiet.wait_good()
            quiet.assert_up()
            if number == signal.SIGSTOP:
                brokers.send(2, signal.SIGCONT)
                brokers.wait_in_sync(3)
        brokers.send(1, signal.SIGKILL)
        quiet.wait_down(IN_SYNC)
        brokers.send(0, signal.SIGSTOP)
        quiet.wait_down("^no answer from 127.0.0.1:")
        brokers.send(0, signal.SIGCONT)
        quiet.wait_down(IN_SYNC)
        brokers.start(1)
        quiet.wait_up()
