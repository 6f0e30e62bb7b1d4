"""Failures while users chat: no message is lost or doubled."""

import json
import time
from contextlib import ExitStack

import httpx
import pytest
from confluent_kafka import Producer

from support.api import Api, Person, check_problem
from support.chat import Socket, new_uuid
from support.conversations import change_of, make
from support.error_lines import ErrorLines
from support.load import Load
from support.raw import RawSocket
from support.service import Service
from support.stack import SERVICES, Stack
from support.stores import hints, records, rows
from support.wait import HANG_S, NotInTime, until

ACCEPTED_AFTER_S = 0.2
# The tests end the ledger. It judges sockets that are cut: only a gateway or nginx that dies
# ends sockets without a close code.
MANY = {"users": 12, "sockets": 2, "rate": 150, "seconds": 3600, "cuts": 0, "calm": 600}
CUT_SOCKETS = ("websocket-service", "nginx")


@pytest.fixture
def load(stack: Stack):
    """The ledger: many users chat, and it judges every message at the end."""
    stack.wait_ready()
    with Load(stack, **MANY) as load:
        load.wait_sending()
        yield load


@pytest.fixture
def patient(stack: Stack):
    """A ledger that never sends again because an answer is late: late is not lost."""
    stack.wait_ready()
    with Load(stack, **MANY, resend=0) as load:
        load.wait_sending()
        yield load


def kill(stack: Stack, load: Load, *programs: str) -> None:
    with ExitStack() as dying:
        if set(programs) & set(CUT_SOCKETS):
            dying.enter_context(load.cuts())
        for program in programs:
            stack.kill(program)
        stack.wait_ready()


def finish(load: Load) -> dict:
    load.stop_sending()
    return load.assert_clean()


def finish_without_retries(load: Load) -> None:
    """Every socket lasts, and a client sends again only what it was told to send again."""
    verdict = finish(load)
    assert verdict["connects"] == MANY["users"] * MANY["sockets"], verdict
    told = sum(verdict["errors"].values())
    assert verdict["retries"] <= told, verdict
    assert told or verdict["wire_duplicates"] == 0, verdict


@pytest.mark.prove
@pytest.mark.alone
def test_without_faults_there_are_no_retries_or_duplicates(patient: Load):
    """The control: without failures there are no retries and no duplicates."""
    patient.wait_sent(600)
    finish_without_retries(patient)


@pytest.mark.alone
def test_kills_of_every_program_in_turn_lose_nothing(stack: Stack, load: Load):
    """A short ledger: all kinds of kills in one run, with one verdict. No operator has to act."""
    errors = ErrorLines(stack)
    for program in (*SERVICES, "redis", "nginx", "mariadb", "kafka"):
        load.wait_sent(100)
        kill(stack, load, program)
    load.wait_sent(100)
    kill(stack, load, *SERVICES)
    load.wait_sent(100)
    hints(stack).flushall()
    stack.restart("websocket-service")
    load.wait_sent(100)
    finish(load)
    errors.assert_none()


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("program", [*SERVICES, "kafka", "mariadb", "redis", "nginx"])
def test_kill_9_of_a_program_loses_nothing(program: str, stack: Stack, load: Load):
    for _ in range(2):
        load.wait_sent(150)
        kill(stack, load, program)
    load.wait_sent(100)
    finish(load)


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.slow
def test_kill_9_of_everything_at_once_loses_nothing(stack: Stack, load: Load):
    load.wait_sent(150)
    kill(stack, load, *SERVICES)
    finish(load)


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("program", ["websocket-service", "persistence-service"])
def test_a_restart_loses_nothing(program: str, stack: Stack, load: Load):
    load.wait_sent(150)
    stack.restart(program)
    load.wait_sent(100)
    finish(load)


@pytest.mark.prove
@pytest.mark.alone
def test_flushall_changes_nothing(stack: Stack, patient: Load):
    for _ in range(4):
        patient.wait_sent(100)
        hints(stack).flushall()
    finish_without_retries(patient)


# --- one program is down for a while --------------------------------------------------
class Outage:
    """Stops a program; starts it again at the end."""

    def __init__(self, stack: Stack, program: str):
        self.stack, self.program, self.back = stack, program, False

    def __enter__(self) -> "Outage":
        self.stack.stop(self.program)
        return self

    def start(self) -> None:
        if not self.back:
            self.stack.start(self.program)
            self.back = True

    def __exit__(self, *_) -> None:
        """The stack is ready again for the next test; services that hang are restarted."""
        self.start()
        try:
            self.stack.wait_ready(60)
        except NotInTime:
            for service in SERVICES:
                self.stack.restart(service)
            self.stack.wait_ready()


@pytest.mark.alone
@pytest.mark.slow
def test_a_redis_outage_loses_nothing(stack: Stack, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    with Outage(stack, "redis"):
        for number in range(20):
            uuid = one.say(bob.id, f"without redis {number}")
            one.saved(uuid)
            two.expect(type="message", uuid=uuid)
        assert httpx.get(f"{stack.url}/readyz", trust_env=False).status_code == 200
        again = enter(alice)
        again.say(bob.id, "x", uuid=uuid)
        again.saved(uuid)
    one.saved(one.say(bob.id, "with redis"))


@pytest.mark.alone
@pytest.mark.slow
def test_a_mariadb_outage_loses_nothing(stack: Stack, api: Api, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    one.saved(one.say(bob.id, "before"))
    with Outage(stack, "mariadb") as mariadb:
        uuids = [one.say(bob.id, f"meanwhile {number}") for number in range(30)]
        for uuid in uuids:
            one.expect(type="state", uuid=uuid, state="accepted")
        assert not [seen for seen in one.seen if seen.get("state") == "saved"]
        check_problem(api.http.get("/conversations", headers=alice.bearer), 503)
        assert api.user_of_token(alice.token).status_code in (200, 503)
        mariadb.start()
        seqs = [one.saved(uuid)["seq"] for uuid in uuids]
        for uuid in uuids:
            two.expect(type="message", uuid=uuid)
    assert seqs == list(range(2, 32))


def wait_all_saved(socket: Socket, other: Person, waiting: set[str]) -> None:
    """Sends again what is refused: a broker that has just started may be slow."""
    while waiting:
        answer = socket.until("an answer", lambda frame: frame.get("uuid") in waiting
                              and frame.get("state") in ("saved", "error"))
        if answer["state"] == "saved":
            waiting.remove(answer["uuid"])
        else:
            assert answer["retryable"], answer
            socket.say(other.id, "again", uuid=answer["uuid"])


@pytest.mark.alone
@pytest.mark.slow
def test_a_kafka_outage_loses_nothing(stack: Stack, api: Api, alice: Person, bob: Person,
                                      enter):
    """Messages are refused until it is back; changes of groups are published then."""
    group = make(api, alice, bob)
    with ExitStack() as exits:
        # It gives up soon, and opens its sockets while Kafka is there.
        gateway = exits.enter_context(
            Service(stack, "websocket-service", WEBSOCKET_KAFKA_TIMEOUT_MS="1000"))
        one, two = (enter(person, gateway.ws_url) for person in (alice, bob))
        one.saved(one.say(bob.id, "before"))
        kafka = exits.enter_context(Outage(stack, "kafka"))
        group.change(alice, name="later")
        assert rows(stack, "SELECT COUNT(*) FROM outbox")[0][0] > 0
        uuids = [one.say(bob.id, f"meanwhile {number}") for number in range(10)]
        refused = set()
        deadline = time.monotonic() + HANG_S
        while len(refused) < len(uuids) and time.monotonic() < deadline:
            try:
                reply = one.receive(deadline - time.monotonic())
            except TimeoutError:
                break
            assert reply.get("state") != "accepted", "accepted without a broker"
            assert reply.get("state") == "error", reply
            assert reply["retryable"] is True
            refused.add(reply["uuid"])
        kafka.start()
        stack.wait_ready()
        gateway.ready()
        for uuid in refused:
            one.say(bob.id, "again", uuid=uuid)
        wait_all_saved(one, bob, set(uuids))
        for uuid in uuids:
            two.expect(type="message", uuid=uuid)
        assert change_of(two, group.id, "renamed")["change"]["name"] == "later"
        until("the outbox is empty", lambda: not rows(stack, "SELECT id FROM outbox"))
    found = rows(stack, "SELECT COUNT(*) FROM messages WHERE sender = %s AND kind = 1",
                 (alice.id,))
    assert found == [(11,)]


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.slow
def test_a_gateway_that_waited_for_kafka_receives_its_confirmations(stack: Stack, alice: Person,
                                                                    bob: Person, enter):
    """The gateway produces the next receipt only when Kafka has confirmed the last one."""
    one = enter(alice)
    saved = [one.saved(one.say(bob.id, f"number {number}")) for number in range(12)]
    conversation = saved[0]["conversation"]
    with ExitStack() as started:
        with Outage(stack, "kafka"):
            gateways = [Service(stack, "websocket-service").start() for _ in range(6)]
            for gateway in gateways:
                started.callback(gateway.__exit__)
                until("the gateway logs that Kafka is down", lambda: gateway.events("kafka.client"))
        for number, gateway in enumerate(gateways):
            gateway.ready()
            with Socket(gateway.ws_url, bob.token) as two:
                two.expect(type="welcome")
                for seq in (2 * number + 1, 2 * number + 2):
                    two.receipt("delivered", conversation, seq)
                    one.expect(type="receipt", user=bob.id, delivered=seq)


@pytest.mark.alone
@pytest.mark.slow
def test_an_identity_outage_loses_nothing(stack: Stack, api: Api, alice: Person, bob: Person,
                                          enter):
    fresh = api.login(alice.name)  # the gateway has never seen its token
    one, two = enter(alice), enter(bob)
    one.saved(one.say(bob.id, "before"))
    with Outage(stack, "identity-service"):
        with RawSocket(stack.ws_url) as raw:
            answer = raw.upgrade(fresh.token)
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"].startswith("application/problem+json")
        # A user whom the gateway knows can connect and send.
        again = enter(alice)
        uuid = again.say(bob.id, "known")
        again.saved(uuid)
        two.expect(type="message", uuid=uuid)
        # The gateway cannot check an unknown recipient: retry later.
        stranger = new_uuid()
        again.send({"uuid": stranger, "message": "hi", "user_to": 4000000000})
        refusal = again.error()
        assert (refusal["code"], refusal["retryable"]) == ("unavailable", True)
        assert refusal["uuid"] == stranger
        check_problem(httpx.get(f"{stack.url}/auth/status", trust_env=False), 502)
    with Socket(stack.ws_url, fresh.token) as later:
        later.expect(type="welcome")


@pytest.mark.alone
@pytest.mark.slow
def test_a_persistence_outage_loses_nothing(stack: Stack, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    with Outage(stack, "persistence-service") as persistence:
        uuid = one.say(bob.id, "for later")
        one.expect(type="state", uuid=uuid, state="accepted")
        check_problem(httpx.get(f"{stack.url}/conversations", trust_env=False,
                                headers=alice.bearer), 502)
        assert httpx.get(f"{stack.url}/readyz", trust_env=False).status_code == 503
        persistence.start()
        one.saved(uuid)
        two.expect(type="message", uuid=uuid)


def test_accepted_is_sent_only_when_saving_is_slow(alice: Person, bob: Person, enter):
    """This holds on any machine: a message that is saved within 200 ms was not slow."""
    one, quick = enter(alice), set()
    for number in range(50):
        started = time.monotonic()
        uuid = one.say(bob.id, f"quick {number}")
        one.saved(uuid)
        if time.monotonic() - started < ACCEPTED_AFTER_S:
            quick.add(uuid)
    accepted = {seen["uuid"] for seen in one.seen if seen.get("state") == "accepted"}
    assert not accepted & quick, "the gateway sent `accepted` for a send that took less than 200 ms"


# --- poison records -----------------------------------------------------------
def test_a_poison_record_is_dead_lettered_and_blocks_no_other(stack: Stack, alice: Person,
                                                              bob: Person, enter):
    one, two = enter(alice), enter(bob)
    low, high = sorted((alice.id, bob.id))
    key, uuid = f"d:{low}:{high}", new_uuid()
    good = {"kind": "message", "uuid": uuid, "sender": alice.id, "user_to": bob.id,
            "message": "", "sent_at": "2026-11-21T10:00:00.000Z"}  # an empty text
    planted = [(key, json.dumps(good)), (key, "no json " + new_uuid()), (key, ""),
               ("c:17", json.dumps(good | {"uuid": new_uuid(), "message": "wrong key"})),
               (key, json.dumps(good | {"uuid": new_uuid(), "kind": "shout", "message": "x"}))]
    producer = Producer({"bootstrap.servers": f"127.0.0.1:{stack.port('KAFKA_PORT')}",
                         "partitioner": "murmur2_random"})
    for record_key, value in planted:
        producer.produce("message_save", key=record_key, value=value)
    assert producer.flush(HANG_S) == 0
    refusal = one.expect(type="state", uuid=uuid, state="error")
    assert (refusal["code"], refusal["retryable"]) == ("not_storable", False)
    after = one.say(bob.id, "after the poison")
    one.saved(after)
    two.expect(type="message", uuid=after)
    values = {value.encode() for _, value in planted}
    found = records(stack, "message_dlq", lambda record: record.value in values, len(planted))
    assert {record.value for record in found} == values
    for record in found:
        assert record.headers["reason"], record
