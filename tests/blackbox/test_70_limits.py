"""Reasons for the gateway to close a socket: tokens, silence, a full queue, SIGTERM."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.api import PASSWORD, Api, Person, check_problem, new_name
from support.chat import Socket, new_uuid, open_socket
from support.raw import PING, TEXT, RawSocket, frame, open_raw
from support.service import Service
from support.stack import Stack
from support.stores import rows
from support.wait import HANG_S, until


# --- expired and revoked tokens ------------------------------------------------------
@pytest.mark.slow
def test_a_socket_is_closed_when_its_token_expires(stack: Stack, api: Api, bob: Person):
    """A slow machine needs a longer life of the token: it ends before the first message."""
    for ttl_s in (3, 12, 48, 192):
        try:
            check_end_of_token(stack, api, bob, ttl_s)
            return
        except TokenEndedEarly:
            continue
    raise AssertionError("each token ended before the first message")


class TokenEndedEarly(Exception):
    pass


def say_in_time(socket: Socket, bob: Person) -> None:
    try:
        # Saving may be slow just after a member has left the consumer group.
        early = socket.expect(type="state", uuid=socket.say(bob.id, "in time"))
    except ConnectionClosed:
        raise TokenEndedEarly from None
    assert early["state"] in ("accepted", "saved")


def open_in_time(url: str, person: Person) -> Socket:
    try:
        return open_socket(url, person)
    except InvalidStatus as refused:
        assert refused.response.status_code == 401
        raise TokenEndedEarly from None


def check_end_of_token(stack: Stack, api: Api, bob: Person, ttl_s: int) -> None:
    with Service(stack, "identity-service", IDENTITY_TOKEN_TTL=str(ttl_s)) as identity, \
            Service(stack, "websocket-service", IDENTITY_URL=identity.url) as gateway:
        short = Api(identity.url).register()
        assert short.expires_in == ttl_s
        with open_in_time(gateway.ws_url, short) as socket:
            say_in_time(socket, bob)
            until("the token is refused", lambda: api.user_of_token(short.token).status_code == 401)
            late = socket.say(bob.id, "too late")
            code, _ = socket.closed()
        assert code == 4401
        assert not [seen for seen in socket.seen if seen.get("uuid") == late]
        warnings = gateway.events("frame.ignored_token_ended")
        assert warnings and all(line["level"] == "warn" for line in warnings)
        assert rows(stack, "SELECT 1 FROM messages WHERE sender = %s AND uuid = %s",
                    (short.id, bytes.fromhex(late.replace("-", "")))) == []
        assert not [line for line in gateway.log().splitlines() if "too late" in line]
        with RawSocket(gateway.ws_url) as raw:
            assert raw.upgrade(short.token).status == 401


def test_a_revoked_session_is_refused_soon(stack: Stack, api: Api, alice: Person):
    session = api.user_of_token(alice.token).json()["session"]
    other = api.login(alice.name)
    rows(stack, "UPDATE sessions SET revoked_at = UTC_TIMESTAMP(3) WHERE id = %s",
         (bytes.fromhex(session.replace("-", "")),), name="identity")
    until("the session's token is refused",
          lambda: api.user_of_token(alice.token).status_code == 401)
    check_problem(api.user_of_token(alice.token), 401)
    assert api.user_of_token(other.token).status_code == 200, "another session ended too"


# --- sign-ins ------------------------------------------------------------------------
def sign_in(http: httpx.Client, call: str, name: str, address: str) -> httpx.Response:
    """X-Forwarded-For, as nginx sets it, names the client."""
    return http.post(f"/auth/{call}", json={"name": name, "password": PASSWORD},
                     headers={"X-Forwarded-For": address})


@contextmanager
def flood(url: str, call: str, address: str) -> Iterator[Counter]:
    """Forty connections of one address sign in without end; yields the answers so far."""
    codes, over = Counter(), threading.Event()

    def sign_in_for_ever() -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=HANG_S) as http:
            while not over.is_set():
                codes[sign_in(http, call, new_name(), address).status_code] += 1

    threads = [threading.Thread(target=sign_in_for_ever) for _ in range(40)]
    for thread in threads:
        thread.start()
    try:
        yield codes
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.parametrize("call", ["register", "login"])
def test_one_address_never_keeps_the_others_from_signing_in(stack: Stack, call: str):
    with Service(stack, "identity-service", IDENTITY_HASH_THREADS="1") as identity, \
            httpx.Client(base_url=identity.url, trust_env=False, timeout=HANG_S) as http:
        name = new_name()
        assert sign_in(http, "register", name, "203.0.113.1").status_code == 201
        with flood(identity.url, call, "203.0.113.66") as codes:
            until("the flood has filled its share", lambda: codes[429] > 40)
            answers = [sign_in(http, "login", name, "203.0.113.1") for _ in range(5)]
            assert [answer.status_code for answer in answers] == [200] * 5
            refused = sign_in(http, call, new_name(), "203.0.113.66")
            until("the flood is still refused", lambda before=codes[429]: codes[429] > before)
    if refused.status_code == 429:  # or its turn came
        check_problem(refused, 429)


# --- sockets of one user ---------------------------------------------------------------
def test_a_user_has_a_bound_of_sockets(stack: Stack, api: Api, alice: Person, bob: Person):
    with Service(stack, "websocket-service", WEBSOCKET_USER_SOCKETS_MAX="3") as gateway:
        def upgrade(person: Person) -> tuple[RawSocket, int]:
            raw = RawSocket(gateway.ws_url)
            answer = raw.upgrade(person.token)
            if answer.status != 101:
                assert answer.status == 429 and int(answer.headers["retry-after"]) > 0
                assert json.loads(answer.body)["status"] == 429
            return raw, answer.status
        opened = [upgrade(alice) for _ in range(5)]
        assert [status for _, status in opened] == [101, 101, 101, 429, 429]
        other, status = upgrade(bob)
        assert status == 101
        assert len(gateway.events("upgrade.too_many_sockets")) == 2
        opened[0][0].tcp.close()

        def has_room() -> bool:
            raw, status = upgrade(alice)
            opened.append((raw, status))
            return status == 101
        until("another socket takes the free place", has_room)
        for raw, _ in [*opened, (other, 101)]:
            raw.tcp.close()


# --- silence -------------------------------------------------------------------------
@pytest.mark.slow
def test_the_gateway_pings_and_closes_a_silent_socket(stack: Stack, alice: Person):
    with Service(stack, "websocket-service", WEBSOCKET_PING_S="1",
                 WEBSOCKET_SILENT_S="3") as gateway:
        with RawSocket(gateway.ws_url) as silent:
            started = time.monotonic()
            assert silent.upgrade(alice.token).status == 101
            welcome = json.loads(silent.next(TEXT))
            assert welcome["ping_interval_s"] == 1
            silent.next(PING)
            silent.next(PING)
            silent.wait_end()
            assert time.monotonic() - started > 2


@pytest.mark.slow
def test_a_client_that_answers_pings_stays_connected(stack: Stack, alice: Person):
    with Service(stack, "websocket-service", WEBSOCKET_PING_S="1",
                 WEBSOCKET_SILENT_S="3") as gateway:
        with open_raw(gateway.ws_url, alice.token) as raw:
            for _ in range(5):
                raw.send(frame(10, raw.next(PING)))
            raw.send(frame(TEXT, b"{}"))
            assert json.loads(raw.next(TEXT))["code"] == "bad_uuid"


@pytest.mark.slow
def test_a_handshake_that_never_ends_is_dropped(stack: Stack):
    with RawSocket(stack.ws_url) as raw:
        raw.send(b"GET /ws HTTP/1.1\r\nHost: x\r\n")
        raw.wait_end()


# --- a reader that does not read -----------------------------------------------------
def small_window(url: str, token: str) -> RawSocket:
    """A socket whose kernel buffers are small, so that the gateway's queue fills."""
    raw = RawSocket(url, receive_bytes=4096)
    assert raw.upgrade(token).status == 101
    raw.next(TEXT)
    return raw


@pytest.mark.slow
def test_a_client_that_does_not_read_is_closed_with_4408(stack: Stack, api: Api, alice: Person,
                                                         bob: Person):
    with Service(stack, "websocket-service") as gateway, \
            open_socket(gateway.ws_url, alice) as sender, \
            open_socket(gateway.ws_url, bob) as healthy:
        slow = small_window(gateway.ws_url, bob.token)
        text, sent = "x" * 16000, []
        deadline = time.monotonic() + HANG_S
        while not gateway.events("socket.too_slow"):
            assert time.monotonic() < deadline, f"not closed after {len(sent)} messages"
            sent.append(sender.say(bob.id, text))
            sender.saved(sent[-1])
            healthy.expect(type="message", uuid=sent[-1])
        # The gateway queues 256 KiB, and the kernel buffers another 256 KiB.
        assert len(sent) * 16000 < 1 << 20
        warning, = gateway.events("socket.too_slow")
        assert warning["user"] == bob.id
        # The client reads now: the earlier frames, then the close.
        assert slow.close_code() == 4408
        slow.tcp.close()
        # Other sockets are not affected, and nothing is lost.
        last = sender.say(bob.id, "still here")
        conversation = sender.saved(last)["conversation"]
        healthy.expect(type="message", uuid=last)
        history = api.all_messages(bob, conversation)
        assert [message["uuid"] for message in history] == [*sent, last]


@pytest.mark.slow
def test_sends_in_progress_have_a_maximum(stack: Stack, alice: Person, bob: Person):
    """The gateway refuses sends beyond WEBSOCKET_UNSETTLED_MAX as retryable, and accepts the
    same uuids later."""
    with Service(stack, "websocket-service", WEBSOCKET_UNSETTLED_MAX="4") as gateway, \
            open_socket(gateway.ws_url, alice) as socket:
        socket.saved(socket.say(bob.id, "the gateway looks bob up"))
        waiting = {new_uuid() for _ in range(200)}
        refused = set()
        for uuid in waiting:
            socket.say(bob.id, "flood", uuid=uuid)
        deadline = time.monotonic() + HANG_S
        while waiting:
            assert time.monotonic() < deadline
            reply = socket.receive(HANG_S)
            if reply.get("state") == "saved":
                waiting.discard(reply["uuid"])
            elif reply.get("state") == "error" or reply["type"] == "error":
                assert reply["code"] == "too_many_unsettled", reply
                assert reply["retryable"] is True
                refused.add(reply["uuid"])
                socket.say(bob.id, "flood", uuid=reply["uuid"])
        assert refused, "the gateway refused none of 200 simultaneous sends"


# --- SIGTERM -------------------------------------------------------------------------
def test_sigterm_closes_sockets_with_1001(stack: Stack, alice: Person, bob: Person):
    with Service(stack, "websocket-service") as gateway:
        sockets_open = [open_socket(gateway.ws_url, person) for person in (alice, bob, alice)]
        uuid = sockets_open[0].say(bob.id, "just in time")
        gateway.child.terminate()
        codes = [socket.closed()[0] for socket in sockets_open]
        assert codes == [1001, 1001, 1001]
        assert gateway.child.wait(timeout=HANG_S) == 0
        states = [seen for seen in sockets_open[0].seen if seen.get("uuid") == uuid]
        # Accepted before the SIGTERM or refused, never silently dropped.
        if not states:
            with open_socket(stack.ws_url, alice) as again:
                again.say(bob.id, "just in time", uuid=uuid)
                again.saved(uuid)


def test_users_of_two_gateways_reach_each_other(stack: Stack, alice: Person, bob: Person):
    with Service(stack, "websocket-service") as second, \
            Socket(stack.ws_url, alice.token) as here, \
            open_socket(second.ws_url, bob) as there, \
            open_socket(second.ws_url, alice) as also:
        here.expect(type="welcome")
        uuid = here.say(bob.id, "over there")
        saved = here.saved(uuid)
        assert there.expect(type="message", uuid=uuid)["seq"] == saved["seq"]
        also.expect(type="message", uuid=uuid)
        back = there.say(alice.id, "and back")
        there.saved(back)
        here.expect(type="message", uuid=back)
