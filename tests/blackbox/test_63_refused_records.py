"""Topics that refuse records: what the senders learn, and that everything else goes on.

The services of these tests have topics of their own.
"""

from collections.abc import Iterator
from itertools import pairwise

import httpx
import pytest
from confluent_kafka import Producer

from support.api import Api, Person
from support.chat import Socket, open_socket
from support.service import Service, apart
from support.stack import Stack
from support.stores import records
from support.topics import Topics
from support.wait import HANG_S, until

LIMIT = "10000"
LONG = "y" * 16000


class Chat:
    """A gateway and a persistence with topics of their own."""

    def __init__(self, stack: Stack):
        self.topics = Topics(stack)
        self.events = self.topics.make("refused_events")
        self.letters = self.topics.make("refused_dlq")
        own = apart(stack) | {"KAFKA_TOPIC_EVENTS": self.events, "KAFKA_TOPIC_DLQ": self.letters}
        self.save = own["KAFKA_TOPIC_SAVE"]
        self.persistence = Service(stack, "persistence-service", **own)
        self.gateway = Service(stack, "websocket-service", **own)
        self.sockets: list[Socket] = []

    def __enter__(self) -> "Chat":
        self.persistence.start().ready()
        self.gateway.start().ready()
        return self

    def __exit__(self, *_) -> None:
        for socket in self.sockets:
            socket.close()
        self.gateway.__exit__()
        self.persistence.__exit__()

    def enter(self, person: Person) -> Socket:
        self.sockets.append(open_socket(self.gateway.ws_url, person))
        return self.sockets[-1]

    def history(self, person: Person, conversation: int) -> list[str]:
        answer = httpx.get(f"{self.persistence.url}/conversations/{conversation}/messages?limit=100",
                           headers=person.bearer, trust_env=False, timeout=HANG_S)
        assert answer.status_code == 200, answer.text
        return [message["message"] for message in answer.json()["messages"]]

    def lives(self) -> bool:
        return self.persistence.child.poll() is None and self.gateway.child.poll() is None


def outcome(socket: Socket, uuid: str) -> dict:
    return socket.until("an outcome", lambda frame: frame["type"] == "state"
                        and frame["uuid"] == uuid and frame["state"] in ("saved", "error"))


@pytest.fixture
def chat(stack: Stack, api: Api) -> Iterator[Chat]:
    with Chat(stack) as chat:
        yield chat


# A broker shows a limit shortly before its log obeys it.
def wait_until_refused(chat: Chat, socket: Socket, other: Person) -> dict:
    """Returns the answer to the last message of those that tried."""
    saved: list[dict] = []

    def refused() -> bool:
        saved.append(socket.saved(socket.say(other.id, "z" * len(LONG))))
        return chat.persistence.metric("parley_events_refused_total") > 0
    until("the log of events obeys", refused)
    return saved[-1]


def test_an_event_that_its_topic_never_accepts_is_left_to_the_history(
        chat: Chat, alice: Person, bob: Person):
    ours, theirs = chat.enter(alice), chat.enter(bob)
    chat.topics.set(chat.events, "max.message.bytes", LIMIT)
    first = wait_until_refused(chat, ours, bob)
    long = ours.saved(ours.say(bob.id, LONG))
    edited = ours.saved(ours.say(bob.id, "short"))
    theirs.until("the next message", lambda frame: frame.get("message") == "short")
    assert not [frame for frame in theirs.seen if frame.get("message") == LONG]
    assert edited["seq"] == long["seq"] + 1, "Bob sees a gap, and fetches it"
    ours.expect(type="state", state="saved",
                uuid=ours.change("edit", long["conversation"], edited["seq"], message=LONG))
    assert chat.history(bob, long["conversation"])[first["seq"]:] == [LONG, LONG]
    assert chat.lives()
    assert chat.persistence.metric("parley_events_refused_total") >= 3
    until("all records are done",
          lambda: chat.persistence.metric("parley_batches_in_flight") == 0)
    said = chat.persistence.events("event.refused")
    assert said and said[0]["topic"] == chat.events and said[0]["bytes"] > len(LONG)
    assert "size too large" in said[0]["why"], said[0]


def test_a_message_that_the_log_never_accepts_is_refused_for_good(
        chat: Chat, alice: Person, bob: Person):
    ours = chat.enter(alice)
    first = ours.saved(ours.say(bob.id, "short"))
    chat.topics.set(chat.save, "max.message.bytes", LIMIT)
    until("the log obeys", lambda: outcome(ours, ours.say(bob.id, LONG))["state"] == "error")
    kept = chat.history(alice, first["conversation"])
    assert not ours.refused(ours.say(bob.id, LONG), "message_too_long")["retryable"]
    uuid = ours.change("edit", first["conversation"], first["seq"], message=LONG)
    assert not ours.refused(uuid, "message_too_long")["retryable"]
    # Many at once: only the long one among them is refused.
    uuids = [ours.say(bob.id, LONG if number == 20 else f"{number} " + "y" * 900)
             for number in range(40)]
    for number, uuid in enumerate(uuids):
        if number == 20:
            ours.refused(uuid, "message_too_long")
        else:
            ours.saved(uuid)
    numbers = [text.split()[0] for text in chat.history(alice, first["conversation"])[len(kept):]]
    assert numbers == [str(number) for number in range(40) if number != 20]
    assert chat.lives()
    assert chat.gateway.readiness()["ready"]


def test_a_dead_letter_that_its_topic_never_accepts_holds_up_nothing(
        chat: Chat, alice: Person, bob: Person):
    ours = chat.enter(alice)
    chat.topics.set(chat.letters, "max.message.bytes", LIMIT)

    def refused() -> list[dict]:
        put(chat, b"not JSON " + b"y" * 20000)
        return chat.persistence.events("dead_letter.refused")
    until("a dead letter is refused", refused)
    ours.saved(ours.say(bob.id, "hello"))
    assert chat.lives()
    assert chat.persistence.events("record.dead")


def put(chat: Chat, value: bytes, key: str = "d:1:2") -> None:
    producer = Producer({"bootstrap.servers": chat.gateway.env["KAFKA_BROKERS"]})
    producer.produce(chat.save, key=key, value=value)
    assert producer.flush(HANG_S) == 0


def test_without_the_topic_of_events_rest_goes_on_and_the_rest_waits(
        chat: Chat, stack: Stack, alice: Person, bob: Person):
    ours = chat.enter(alice)
    first = ours.saved(ours.say(bob.id, "before"))
    chat.gateway.stop()  # it reads that topic
    chat.topics.delete(chat.events)
    put(chat, message_record(alice, bob), f"d:{alice.id}:{bob.id}")
    missing = f"topic {chat.events}: not found"
    until("persistence names the topic",
          lambda: chat.persistence.readiness()["why"]["kafka"] == missing)
    parts = chat.persistence.readiness()["parts"]
    assert (parts["kafka"], parts["mysql"]) == ("down", "up")
    assert chat.persistence.child.poll() is None
    assert "between" in chat.history(bob, first["conversation"])
    chat.topics.make_again(chat.events)
    chat.persistence.ready()
    # The record is read again, and its events are sent.
    found = records(stack, chat.events, lambda record: b"between" in record.value)
    assert found
    said = [line["why"] for line in chat.persistence.events("dependency.down")]
    repeated = [one for one, next_one in pairwise(said) if one == next_one]
    assert missing in said and not repeated, said


def message_record(sender: Person, to: Person) -> bytes:
    return (b'{"kind":"message","uuid":"01936f5e-8a2b-7c3d-9e4f-5a6b7c8d9e0f",'
            b'"sender":%d,"user_to":%d,"message":"between",'
            b'"sent_at":"2026-11-21T10:00:00.000Z"}' % (sender.id, to.id))


def test_without_the_log_messages_are_refused_for_good_until_it_is_back(
        chat: Chat, alice: Person, bob: Person):
    ours = chat.enter(alice)
    ours.saved(ours.say(bob.id, "before"))
    chat.persistence.stop()  # it reads that topic
    chat.topics.delete(chat.save)

    def answer() -> dict:
        uuid = ours.say(bob.id, "nowhere")
        return ours.until("an answer", lambda frame: frame.get("uuid") == uuid)

    # The producer learns from the broker that the topic is gone.
    final = until("a final answer", lambda: next(
        (frame for frame in [answer()] if frame.get("code") == "not_storable"), None))
    assert not final["retryable"]
    until("the gateway names the topic", lambda: chat.gateway.readiness()["why"]["kafka"]
          .startswith(f"topic {chat.save}: "))
    assert len(chat.gateway.events("topic.refused")) == 1
    chat.topics.make_again(chat.save)
    chat.gateway.ready()
