"""A Redis that works but refuses, in each way that the real one has.

Redis holds hints and presence: clients chat on, and nobody looks offline. The gateway gives the
reason that Redis gives, and works again by itself. tests/dependencies has the faults of links.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import redis

from support.api import Api, Person
from support.chat import Socket, new_uuid, open_socket
from support.own_redis import PASSWORD, OwnRedis
from support.service import Service
from support.stack import Stack
from support.wait import until

Fault = Callable[[OwnRedis], AbstractContextManager]


def commands(do: tuple[str, ...], undo: tuple[str, ...]) -> Fault:
    @contextmanager
    def fault(server: OwnRedis) -> Iterator[None]:
        with server.admin() as admin:
            admin.execute_command(*do)
            try:
                yield
            finally:
                admin.execute_command(*undo)
    return fault


def config(**changes: str) -> Fault:
    @contextmanager
    def fault(server: OwnRedis) -> Iterator[None]:
        with server.admin() as admin:
            before = {name: admin.config_get(name)[name] for name in changes}
            for name, value in changes.items():
                admin.config_set(name, value)
            try:
                yield
            finally:
                for name, value in reversed(before.items()):
                    admin.config_set(name, value)
    return fault


def acl(*rules: str) -> Fault:
    return commands(("ACL", "SETUSER", "default", *rules),
                    ("ACL", "SETUSER", "default", "+@all", "~*", "&*"))


@contextmanager
def cannot_save(server: OwnRedis) -> Iterator[None]:
    """Its folder is gone, so it cannot write its data to the disk."""
    gone = server.folder / "gone"
    gone.mkdir()
    with server.admin() as admin:
        admin.config_set("save", "3600 1000000")
        admin.config_set("dir", str(gone))
        gone.rmdir()

        def saved_well() -> bool:
            admin.execute_command("BGSAVE", "SCHEDULE")
            return admin.info("persistence")["rdb_last_bgsave_status"] == "ok"
        until("Redis cannot save", lambda: not saved_well())
        try:
            yield
        finally:
            admin.config_set("dir", str(server.folder))
            until("Redis can save", saved_well)
            admin.config_set("save", "")


@contextmanager
def loading(server: OwnRedis) -> Iterator[None]:
    """It has started and reads its data, key by key, until it is told to hurry up."""
    with server.admin() as admin:
        admin.execute_command("DEBUG", "POPULATE", "20000")
        admin.save()
    server.stop()
    server.start("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
    with server.admin() as admin:
        try:
            yield
        finally:
            admin.config_set("key-load-delay", "0")


@contextmanager
def other_password(server: OwnRedis) -> Iterator[None]:
    with server.admin() as admin:
        admin.config_set("requirepass", "another")
        admin.client_kill_filter(_type="normal", skipme=True)
        try:
            yield
        finally:
            admin.config_set("requirepass", PASSWORD)


@contextmanager
def busy(server: OwnRedis) -> Iterator[None]:
    """A script of somebody else never ends."""
    def run() -> None:
        with server.admin() as other, pytest.raises(redis.ResponseError, match="killed"):
            other.eval("while true do end", 0)
    with server.admin() as admin:
        admin.config_set("busy-reply-threshold", "100")
        script = threading.Thread(target=run)
        script.start()
        try:
            yield
        finally:
            admin.script_kill()
            script.join()


@contextmanager
def another_type(server: OwnRedis) -> Iterator[None]:
    """Another program uses a key of ours."""
    with server.admin() as admin:
        admin.execute_command("DEL", "presence:0")
        admin.execute_command("SET", "presence:0", "text")
        try:
            yield
        finally:
            admin.execute_command("DEL", "presence:0")


def both(one: Fault, other: Fault) -> Fault:
    @contextmanager
    def fault(server: OwnRedis) -> Iterator[None]:
        with one(server), other(server):
            yield
    return fault


A_REPLICA = commands(("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"))

# fault -> (what it is, the reason that the gateway gives)
FAULTS: dict[str, tuple[Fault, str]] = {
    "out of memory": (config(**{"maxmemory-policy": "noeviction", "maxmemory": "1"}), "OOM "),
    "cannot save": (cannot_save, "MISCONF "),
    "loading": (loading, "LOADING "),
    "a replica": (A_REPLICA, "READONLY "),
    "a replica without its master": (both(config(**{"replica-serve-stale-data": "no"}), A_REPLICA),
                                     "MASTERDOWN "),
    "too few replicas": (config(**{"min-replicas-to-write": "1"}), "NOREPLICAS "),
    "another password": (other_password, "WRONGPASS "),
    "no SET": (acl("-set"), "NOPERM .*set"),
    "no ZADD": (acl("-zadd"), "NOPERM .*zadd"),
    "no ZREVRANGE": (acl("-zrevrange"), "NOPERM .*zrevrange"),
    "no ZREMRANGEBYRANK": (acl("-zremrangebyrank"), "NOPERM .*zremrangebyrank"),
    "no EXPIRE": (acl("-expire"), "NOPERM .*expire"),
    "no TIME": (acl("-time"), "NOPERM .*time"),
    "no PING": (acl("-ping"), "NOPERM .*ping"),
    "no presence keys": (acl("resetkeys", "~message:*"), "NOPERM .*key"),
    "no message keys": (acl("resetkeys", "~presence:*"), "NOPERM .*key"),
    "writes paused": (commands(("CLIENT", "PAUSE", "1000000", "WRITE"), ("CLIENT", "UNPAUSE")),
                      "no answer"),
    "busy with a script": (busy, "BUSY "),
    "a key of another type": (another_type, "WRONGTYPE "),
}


@pytest.fixture(scope="module")
def server(stack: Stack) -> Iterator[OwnRedis]:
    with OwnRedis(stack) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(stack: Stack, server: OwnRedis) -> Iterator[Service]:
    stack.wait_ready()
    with Service(stack, "websocket-service", **server.settings()) as gateway:
        yield gateway


def wait_redis(gateway: Service, state: str, why: str = "") -> None:
    """Readiness does not depend on Redis."""
    def said() -> bool:
        answer = gateway.ask_admin("/readyz")
        assert answer.status_code == 200
        health = answer.json()
        reason = health.get("why", {}).get("redis", "")
        return health["parts"]["redis"] == state and matches(why, reason)
    until(f"redis is {state}: {why}", said)
    assert gateway.metric("parley_redis_up") == (state == "up")


def matches(why: str, reason: str) -> bool:
    first, _, rest = why.partition(".*")
    return reason.startswith(first) and rest in reason if why else reason == ""


def presence_of(socket: Socket, person: Person) -> dict:
    socket.watch(person.id)
    return socket.until("an answer", lambda frame: frame["type"] in ("presence", "error"))


def wait_online(socket: Socket, person: Person) -> None:
    def online() -> bool:
        told = presence_of(socket, person)
        return told["type"] == "presence" and told["users"][0]["state"] == "online"
    until("the user is online", online)


@pytest.mark.prove
@pytest.mark.parametrize("name", FAULTS)
def test_clients_do_not_notice_a_redis_that_refuses(name: str, server: OwnRedis, gateway: Service,
                                                    alice: Person, bob: Person):
    fault, why = FAULTS[name]
    wait_redis(gateway, "up")
    with open_socket(gateway.ws_url, alice) as one, open_socket(gateway.ws_url, bob) as two:
        wait_online(one, bob)
        with fault(server):
            wait_redis(gateway, "degraded", why)
            refusal = presence_of(one, bob)
            assert (refusal["type"], refusal.get("code")) == ("error", "unavailable"), refusal
            assert refusal["retryable"]
            uuid = one.say(bob.id, name)
            one.saved(uuid)
            two.expect(type="message", uuid=uuid)
        wait_redis(gateway, "up")
        wait_online(one, bob)
        told = [user for frame in one.seen if frame["type"] == "presence"
                for user in frame["users"]]
        assert "offline" not in [user["state"] for user in told]
    assert any(matches(why, event["why"]) for event in gateway.events("redis.down"))


# Ours, and that of caches. Under "noeviction" a full Redis refuses: see FAULTS.
POLICIES = ("volatile-ttl", "allkeys-lru")
ROOM, HINTS = 4 << 20, 12_000  # the hints nearly fill the room


@pytest.mark.prove
@pytest.mark.parametrize("policy", POLICIES)
def test_presence_outlives_hints_in_a_redis_that_is_full(policy: str, server: OwnRedis,
                                                         gateway: Service, alice: Person,
                                                         bob: Person):
    def put_hints(count: int) -> None:
        with server.admin().pipeline(transaction=False) as pipe:
            for _ in range(count):
                pipe.set(f"message:{new_uuid()}", "x" * 200, ex=86_400)
            pipe.execute()

    wait_redis(gateway, "up")
    with server.admin() as admin, open_socket(gateway.ws_url, alice) as one, \
            open_socket(gateway.ws_url, bob) as two:
        wait_online(one, bob)
        admin.config_set("maxmemory-policy", policy)
        admin.config_set("maxmemory", admin.info("memory")["used_memory"] + ROOM)
        try:
            put_hints(HINTS)
            for _ in range(2):
                published = admin.zrange(f"presence:{bob.id}", 0, -1, withscores=True)
                until("the gateway publishes again", lambda: admin.zrange(
                    f"presence:{bob.id}", 0, -1, withscores=True) != published)
                put_hints(HINTS // 2)
            assert admin.info("stats")["evicted_keys"] > 0
            assert admin.exists(f"presence:{bob.id}")
            uuid = one.say(bob.id, policy)
            one.saved(uuid)
            two.expect(type="message", uuid=uuid)
            wait_online(one, bob)
            told = [user["state"] for frame in one.seen if frame["type"] == "presence"
                    for user in frame["users"]]
            assert "offline" not in told
        finally:
            admin.config_set("maxmemory", 0)
            admin.config_set("maxmemory-policy", "noeviction")
            admin.flushall()
            wait_redis(gateway, "up")


@pytest.mark.parametrize("changes, state, why", [
    ({"REDIS_PASSWORD": ""}, "degraded", "NOAUTH "),
    ({"REDIS_PASSWORD": "wrong"}, "degraded", "WRONGPASS "),
    ({}, "up", ""),
])
def test_a_gateway_starts_whatever_its_password_is(changes: dict[str, str], state: str, why: str,
                                                   server: OwnRedis, stack: Stack, api: Api):
    with Service(stack, "websocket-service", **server.settings(**changes)) as gateway:
        wait_redis(gateway, state, why)
        with open_socket(gateway.ws_url, api.register()) as socket:
            assert socket.alive()


def test_a_redis_without_a_password_serves_a_gateway_that_has_one(server: OwnRedis,
                                                                  gateway: Service):
    with server.admin() as admin:
        admin.config_set("requirepass", "")
        admin.client_kill_filter(_type="normal", skipme=True)
        wait_redis(gateway, "up")
        admin.config_set("requirepass", PASSWORD)
    wait_redis(gateway, "up")
