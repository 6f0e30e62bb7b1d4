"""The rate limit of a user over all sockets."""

import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from support.api import Person
from support.chat import Socket, new_uuid, open_socket
from support.service import Service
from support.stack import Stack
from support.wait import until

RATE, BURST = 5, 20


@pytest.fixture(scope="module")
def gateway(stack: Stack) -> Iterator[Service]:
    stack.wait_ready()
    with Service(stack, "websocket-service", WEBSOCKET_USER_RATE=str(RATE),
                 WEBSOCKET_USER_BURST=str(BURST)) as gateway:
        yield gateway


def refused_of(socket: Socket, to: Person) -> dict | None:
    """Sends many; the refusal of the last one. On a slow machine it may be within the limit."""
    sent = [socket.say(to.id, "more") for _ in range(3 * RATE)]
    answer = socket.until("an answer", lambda seen: seen.get("uuid") == sent[-1]
                          and seen.get("state") in ("error", "saved"))
    return answer if answer["state"] == "error" else None


def refused_receipt(socket: Socket) -> dict:
    """The same; only refused receipts are answered."""
    for _ in range(3 * RATE):
        socket.receipt("read", 17, 1)
    return socket.expect(1, type="error", code="too_fast")


def test_a_user_over_the_rate_limit_may_send_later(gateway: Service, alice: Person, bob: Person):
    with open_socket(gateway.ws_url, alice) as one, open_socket(gateway.ws_url, alice) as two:
        sent = [(one, one.say(bob.id, "hi")) for _ in range(BURST // 2)]
        sent += [(two, two.say(bob.id, "hi")) for _ in range(BURST // 2)]
        for socket, uuid in sent:
            socket.saved(uuid)
        last = until("the gateway refuses a send", lambda: refused_of(one, bob))
        assert last["code"] == "too_fast" and last["retryable"] is True
        refusal = until("the gateway refuses a receipt", lambda: refused_receipt(two))
        assert refusal["retryable"] is True
        time.sleep(2)
        one.saved(one.say(bob.id, "more", uuid=last["uuid"]))


def test_the_rate_limit_of_a_user_does_not_affect_others(gateway: Service, alice: Person,
                                                         bob: Person):
    with open_socket(gateway.ws_url, alice) as flood, open_socket(gateway.ws_url, bob) as calm:
        for _ in range(BURST + 2 * RATE):
            flood.say(bob.id, "flood")
        calm.saved(calm.say(alice.id, "calm"))


def test_a_user_who_ignores_the_rate_limit_is_closed(gateway: Service, alice: Person):
    with open_socket(gateway.ws_url, alice) as socket:
        try:
            for _ in range(BURST + 2 * RATE + 101):
                socket.send({"type": "edit", "uuid": new_uuid(), "conversation": 1, "seq": 1,
                             "message": "hi"})
        except ConnectionClosed:
            pass  # the gateway closed while we sent
        code, _ = socket.closed()
        assert code == 4429
    assert gateway.events("socket.too_fast")
    with Socket(gateway.ws_url, alice.token) as again:
        again.expect(type="welcome")
