"""The main path: from sign-up to a message that is saved and delivered."""

import re
import uuid as uuid_module

import pytest

from support.api import Api, Person, check_problem
from support.chat import Socket, new_uuid
from support.partition import event_partition
from support.stack import Stack
from support.stores import hints, records, rows
from support.wait import until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MESSAGE_MEMBERS = {"type", "id", "conversation", "seq", "user_from", "user_to", "uuid",
                   "message", "created_at"}
TEXTS = {
    "plain": "hi",
    "one byte": "x",
    "other alphabets": "Zoë, ünal, 日本語, ‏שלום",
    "emoji": "🎉👩‍👩‍👧‍👦",
    "quotes and backslashes": 'say "hi" \\ / \\n',
    "control characters": "tab\t newline\n escape\x1b bell\x07 delete\x7f",
    "sql": "'; DROP TABLE messages; -- ",
    "html": "<script>alert(1)</script>&amp;",
    "longest": "x" * 16384,
    "longest of four-byte characters": "🎉" * 4096,
    "longest, all escaped": "\x01" * 10000,
    "blanks only": "   ",
}


# --- identity -----------------------------------------------------------------
def test_registering_signs_the_user_in(api: Api):
    person = api.register("Ada " + new_uuid()[:8])
    answer = api.user_of_token(person.token)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["name"]) == (person.id, person.name)
    assert TIME.fullmatch(body["expires_at"])
    assert isinstance(body["session"], str) and body["session"]
    assert person.expires_in > 0


def test_each_login_creates_a_new_session(api: Api, alice: Person):
    again = api.login(alice.name)
    assert again.id == alice.id
    first, second = api.user_of_token(alice.token).json(), api.user_of_token(again.token).json()
    assert first["session"] != second["session"]


def test_sign_up_and_login_accept_a_form(api: Api):
    name = "Form & Söhne " + new_uuid()[:8]
    answer = api.http.post("/auth/register", data={"name": name, "pass": "pässword &=+%"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["user"]["name"] == name
    answer = api.http.post("/auth/login", json={"name": name, "password": "pässword &=+%"})
    assert answer.status_code == 200, answer.text


def test_users_are_found_by_name_and_by_id(api: Api, alice: Person, bob: Person):
    for path, params in ((f"/auth/users/{bob.id}", {}), ("/auth/users", {"name": bob.name}),
                         ("/auth/users", {"name": bob.name.upper()})):
        answer = api.http.get(path, params=params, headers=alice.bearer)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"id": bob.id, "name": bob.name, "display_name": None,
                                 "about": None, "avatar_url": None}
    check_problem(api.http.get("/auth/users/9007199254740991", headers=alice.bearer), 404)
    check_problem(api.http.get("/auth/users", params={"name": "no " + new_uuid()},
                               headers=alice.bearer), 404)


def test_status_returns_the_signed_in_user(api: Api, alice: Person):
    answer = api.http.get("/auth/status", headers=alice.bearer)
    assert answer.status_code == 200
    user = answer.json()["user"]
    assert (user["id"], user["name"]) == (alice.id, alice.name)
    assert TIME.fullmatch(user["registered_at"])


# --- sockets --------------------------------------------------------------------
def test_the_welcome_is_the_first_frame(stack: Stack, api: Api, alice: Person):
    with Socket(stack.ws_url, alice.token) as socket:
        welcome = socket.receive(10)
    assert welcome["type"] == "welcome"
    assert welcome["user"] == alice.id
    assert welcome["session"] == api.user_of_token(alice.token).json()["session"]
    assert welcome["ping_interval_s"] == 25


def test_the_subprotocol_may_carry_the_token(stack: Stack, alice: Person):
    with Socket(stack.ws_url, alice.token, subprotocol=True) as socket:
        assert socket.ws.subprotocol == "parley"
        assert socket.expect(type="welcome")["user"] == alice.id


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_message_is_saved_and_delivered(text: str, api: Api, alice: Person, bob: Person,
                                          enter):
    one, two = enter(alice), enter(bob)
    uuid = one.say(bob.id, text)
    saved = one.saved(uuid)
    assert set(saved) == {"type", "uuid", "state", "id", "conversation", "seq", "created_at"}
    assert saved["seq"] == 1
    assert TIME.fullmatch(saved["created_at"])
    message = two.expect(type="message", uuid=uuid)
    assert set(message) == MESSAGE_MEMBERS
    assert message["message"] == text
    assert (message["user_from"], message["user_to"]) == (alice.id, bob.id)
    for member in ("id", "conversation", "seq", "created_at"):
        assert message[member] == saved[member]
    assert api.messages(bob, saved["conversation"])["messages"] == [message]


def test_the_senders_other_sockets_receive_the_message(alice: Person, bob: Person, enter):
    sending, other, receiving = enter(alice), enter(alice), enter(bob)
    uuid = sending.say(bob.id, "hi")
    saved = sending.saved(uuid)
    for socket in (other, receiving):
        message = socket.expect(type="message", uuid=uuid)
        assert message["id"] == saved["id"]
    # A later message of the same partition has arrived: no earlier one is missing.
    barrier = other.say(bob.id, "barrier")
    sending.expect(type="message", uuid=barrier)
    assert not [frame for frame in sending.seen if frame.get("uuid") == uuid]


def test_all_sockets_of_the_recipient_receive_the_message(alice: Person, bob: Person, enter):
    sending, receiving = enter(alice), [enter(bob) for _ in range(3)]
    uuid = sending.say(bob.id, "hi")
    for socket in receiving:
        socket.expect(type="message", uuid=uuid)


def test_other_users_do_not_receive_a_direct_message(api: Api, alice: Person, bob: Person, enter):
    eve = api.register()
    sending, receiving, third = enter(alice), enter(bob), enter(eve)
    uuid = sending.say(bob.id, "secret")
    saved = sending.saved(uuid)
    receiving.expect(type="message", uuid=uuid)
    barrier = sending.say(eve.id, "for you")
    third.expect(type="message", uuid=barrier)
    assert third.seen == [], third.seen[0]
    check_problem(api.http.get(f"/conversations/{saved['conversation']}/messages",
                               headers=eve.bearer), 404)


def test_a_user_can_send_a_message_to_themselves(api: Api, alice: Person, enter):
    one, other = enter(alice), enter(alice)
    uuid = one.say(alice.id, "note to self")
    saved = one.saved(uuid)
    assert other.expect(type="message", uuid=uuid)["user_to"] == alice.id
    second = one.saved(one.say(alice.id, "another"))
    assert second["conversation"] == saved["conversation"]
    assert second["seq"] == 2
    found = api.conversations(alice)["conversations"]
    assert [entry["with"] for entry in found] == [{"id": alice.id}]


def test_the_member_message_may_be_spelled_Message(alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    uuid = new_uuid()
    one.send({"uuid": uuid, "Message": "capital", "user_to": bob.id})
    one.saved(uuid)
    assert two.expect(type="message", uuid=uuid)["message"] == "capital"


def test_a_send_may_name_its_type(alice: Person, bob: Person, enter):
    one = enter(alice)
    one.saved(one.say(bob.id, "typed", type="message"))


def test_unknown_members_are_ignored(alice: Person, bob: Person, enter):
    one = enter(alice)
    one.saved(one.say(bob.id, "more", sender=99, user_from=99, id=1, extra={"a": [1]}))


def test_the_token_determines_the_sender(alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    uuid = one.say(bob.id, "hi", sender=bob.id, user_from=bob.id)
    assert two.expect(type="message", uuid=uuid)["user_from"] == alice.id


# --- repeated uuids ------------------------------------------------------------
def test_a_uuid_is_compared_without_regard_to_case(alice: Person, bob: Person, enter):
    one = enter(alice)
    uuid = new_uuid()
    one.say(bob.id, "hi", uuid=uuid.upper())
    saved = one.saved(uuid)
    one.say(bob.id, "hi", uuid=uuid)
    assert one.saved(uuid) == saved


@pytest.mark.parametrize("text", ["hi", "another text"])
def test_a_repeated_send_gets_the_first_result(text: str, api: Api, alice: Person, bob: Person,
                                               enter):
    one = enter(alice)
    uuid = one.say(bob.id, "hi")
    saved = one.saved(uuid)
    one.say(bob.id, text, uuid=uuid)
    assert one.saved(uuid) == saved
    other = enter(alice)
    other.say(bob.id, text, uuid=uuid)
    assert other.saved(uuid) == saved
    found = api.all_messages(alice, saved["conversation"])
    assert [message["message"] for message in found] == ["hi"]


def test_a_repeated_send_to_another_user_gets_the_first_result(
        api: Api, alice: Person, bob: Person, enter):
    carol = api.register()
    one, third = enter(alice), enter(carol)
    uuid = one.say(bob.id, "for bob")
    saved = one.saved(uuid)
    one.say(carol.id, "for carol", uuid=uuid)
    assert one.saved(uuid) == saved
    barrier = one.say(carol.id, "barrier")
    third.expect(type="message", uuid=barrier)
    assert third.seen == [], third.seen[0]


def test_simultaneous_sends_with_one_uuid_make_one_message(api: Api, alice: Person, bob: Person,
                                                           enter):
    one = enter(alice)
    uuid = new_uuid()
    for number in range(20):
        one.say(bob.id, f"try {number}", uuid=uuid)
    first = one.saved(uuid)
    found = until("the message is in the history",
                  lambda: api.all_messages(alice, first["conversation"]))
    one.saved(one.say(bob.id, "last"))
    found = api.all_messages(alice, first["conversation"])
    assert [message["message"] for message in found] == ["try 0", "last"]
    assert all(frame["seq"] == 1 for frame in one.seen if frame.get("uuid") == uuid
               and frame.get("state") == "saved")


def test_two_users_can_use_the_same_uuid(api: Api, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    uuid = one.say(bob.id, "mine")
    first = one.saved(uuid)
    two.say(alice.id, "mine too", uuid=uuid)
    second = two.saved(uuid)
    assert second["id"] != first["id"]
    assert {first["seq"], second["seq"]} == {1, 2}
    texts = [message["message"] for message in api.all_messages(bob, first["conversation"])]
    assert texts == ["mine", "mine too"]


@pytest.mark.parametrize("version", [1, 4, 7])
def test_every_uuid_version_is_accepted(version: int, alice: Person, bob: Person, enter):
    raw = bytearray(uuid_module.uuid4().bytes)
    raw[6] = version << 4 | raw[6] & 15
    one = enter(alice)
    one.saved(one.say(bob.id, "hi", uuid=str(uuid_module.UUID(bytes=bytes(raw)))))


# --- order, history, conversations ----------------------------------------------------
def test_seq_rises_by_one_and_both_users_see_the_same_order(api: Api, alice: Person,
                                                            bob: Person, enter):
    one, two = enter(alice), enter(bob)
    sent = {}
    for number in range(60):
        sent[one.say(bob.id, f"a{number}")] = f"a{number}"
        sent[two.say(alice.id, f"b{number}")] = f"b{number}"
    uuids = list(sent)
    states = {uuid: (one if at % 2 == 0 else two).saved(uuid) for at, uuid in enumerate(uuids)}
    assert sorted(state["seq"] for state in states.values()) == list(range(1, 121))
    history = api.all_messages(alice, states[uuids[0]]["conversation"])
    assert [message["seq"] for message in history] == list(range(1, 121))
    assert {message["uuid"]: message["message"] for message in history} == sent
    for letter in "ab":  # the messages of one sender stay in order
        own = [message["message"] for message in history if message["message"][0] == letter]
        assert own == [f"{letter}{number}" for number in range(60)]
    for socket, letter in ((one, "b"), (two, "a")):
        got = [frame for frame in socket.seen if frame["type"] == "message"]
        while len(got) < 60:
            frame = socket.receive(10)
            got += [frame] if frame["type"] == "message" else []
        assert [frame["seq"] for frame in got] == sorted(frame["seq"] for frame in got)
        assert [frame["message"] for frame in got] == [f"{letter}{n}" for n in range(60)]


@pytest.fixture(scope="module")
def filled(stack: Stack, shared_api: Api):
    """A conversation with 25 messages: (alice, bob, its id)."""
    stack.wait_ready()
    alice, bob = shared_api.register(), shared_api.register()
    with Socket(stack.ws_url, alice.token) as one:
        states = [one.saved(one.say(bob.id, f"text {number}")) for number in range(1, 26)]
    return alice, bob, states[0]["conversation"]


PAGES = [  # query -> seqs, next
    ({}, range(1, 26), None),
    ({"after": 0}, range(1, 26), None),
    ({"after": 0, "limit": 10}, range(1, 11), 10),
    ({"after": 10, "limit": 10}, range(11, 21), 20),
    ({"after": 20, "limit": 10}, range(21, 26), None),
    ({"after": 15, "limit": 10}, range(16, 26), None),
    ({"after": 25}, [], None),
    ({"after": 9007199254740991}, [], None),
    ({"before": 26, "limit": 10}, range(16, 26), 16),
    ({"before": 16, "limit": 10}, range(6, 16), 6),
    ({"before": 6, "limit": 10}, range(1, 6), None),
    ({"before": 11, "limit": 10}, range(1, 11), None),
    ({"before": 1}, [], None),
    ({"before": 0}, [], None),
    ({"before": 9007199254740991, "limit": 5}, range(21, 26), 21),
    ({"limit": 1, "after": 3}, [4], 4),
    ({"limit": 200}, range(1, 26), None),
]


@pytest.mark.parametrize("query, seqs, following", PAGES, ids=[str(page[0]) for page in PAGES])
def test_history_returns_the_requested_page(query, seqs, following, filled, shared_api: Api):
    _, bob, conversation = filled
    page = shared_api.messages(bob, conversation, **query)
    assert [message["seq"] for message in page["messages"]] == list(seqs)
    assert page["next"] == following
    for message in page["messages"]:
        assert set(message) == MESSAGE_MEMBERS
        assert message["message"] == f"text {message['seq']}"


BAD_QUERIES = ["limit=0", "limit=201", "limit=-1", "limit=abc", "limit=", "limit=1.5",
               "limit=99999999999999999999", "limit=+5", "limit=0x10", "limit=%205", "limit=%zz", "limit=%00", "limit=%ff",
               "after=-1", "after=abc", "after=", "after=9007199254740992", "before=-1",
               "before=x", "before=1.0", "after=1&before=3"]


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_bad_page_is_refused(query: str, filled, shared_api: Api):
    alice, _, conversation = filled
    answer = shared_api.http.get(f"/conversations/{conversation}/messages?{query}",
                                 headers=alice.bearer)
    check_problem(answer, 422)


def test_a_foreign_conversation_looks_like_a_missing_one(filled, api: Api):
    eve = api.register()
    _, _, conversation = filled
    answers = [api.http.get(f"/conversations/{number}/messages", headers=eve.bearer)
               for number in (conversation, 9007199254740991)]
    assert check_problem(answers[0], 404) == check_problem(answers[1], 404)


@pytest.mark.parametrize("number", ["0", "-1", "abc", "1.5", "9007199254740992",
                                    "99999999999999999999", "%31%00", "1'--"])
def test_an_invalid_conversation_id_is_not_found(number: str, filled, shared_api: Api):
    alice, _, _ = filled
    answer = shared_api.http.get(f"/conversations/{number}/messages", headers=alice.bearer)
    assert answer.status_code in (400, 404), answer.text
    check_problem(answer, answer.status_code)


def test_conversations_are_sorted_by_newest_activity(api: Api, alice: Person, enter):
    others = [api.register() for _ in range(3)]
    one = enter(alice)
    for other in others:
        one.saved(one.say(other.id, f"to {other.id}"))
    last = one.saved(one.say(others[0].id, "again"))
    found = api.conversations(alice)
    assert found["next"] is None
    entries = found["conversations"]
    assert [entry["with"]["id"] for entry in entries] == \
        [others[0].id, others[2].id, others[1].id]
    top = entries[0]
    assert {"id", "kind", "name", "with", "last_seq", "read_seq", "unread",
            "last_message"} <= set(top)
    assert (top["kind"], top["name"]) == ("direct", None)
    assert top["id"] == last["conversation"]
    assert top["last_seq"] == 2
    assert top["unread"] == top["last_seq"] - top["read_seq"]
    assert top["last_message"]["message"] == "again"
    theirs = api.conversations(others[0])["conversations"]
    assert [(entry["id"], entry["with"]["id"], entry["unread"]) for entry in theirs] == \
        [(last["conversation"], alice.id, 2)]


def test_conversations_are_paged(api: Api, alice: Person, enter):
    others = [api.register() for _ in range(5)]
    one = enter(alice)
    for other in others:
        one.saved(one.say(other.id, "hi"))
    page = api.conversations(alice, limit=2)
    found = page["conversations"]
    assert len(found) == 2
    whole = api.conversations(alice)["conversations"]
    assert whole[:2] == found
    assert [entry["with"]["id"] for entry in whole] == [other.id for other in reversed(others)]
    assert page["next"] is not None


def test_a_new_user_has_an_empty_conversation_list(api: Api, alice: Person):
    assert api.conversations(alice) == {"conversations": [], "next": None}


# --- stored data ------------------------------------------------------------
def test_the_message_is_in_kafka_mariadb_and_redis(stack: Stack, api: Api, alice: Person,
                                                   bob: Person, enter):
    one, two = enter(alice), enter(bob)
    text = "look for me 🎉"
    uuid = new_uuid()
    one.say(bob.id, text, uuid=uuid.upper())
    hint = until("a hint is in Redis", lambda: hints(stack).get(f"message:{uuid}"))
    assert f'"sender":{alice.id}' in hint.replace(" ", "")
    assert '"state"' in hint
    saved = one.saved(uuid)
    message = two.expect(type="message", uuid=uuid)

    low, high = sorted((alice.id, bob.id))
    record, = records(stack, "message_save", lambda found: uuid.encode() in found.value)
    assert record.key == f"d:{low}:{high}"
    value = record.json()
    assert value["kind"] == "message"
    assert (value["uuid"], value["sender"], value["user_to"]) == (uuid, alice.id, bob.id)
    assert value["message"] == text
    assert TIME.fullmatch(value["sent_at"])

    def all_events() -> list | None:
        """Two records, or three if the users' events are in different partitions."""
        found = records(stack, "message_events", lambda event: uuid.encode() in event.value, 2)
        notified = [user for event in found if event.json()["type"] == "message"
                    for user in event.key.split(",")]
        return found if sorted(notified) == sorted((str(alice.id), str(bob.id))) else None

    events = until("both users have their event", all_events)
    by_type = {event.json()["type"]: event for event in events}
    assert by_type["message"].value.decode() == two.text_of(message)
    assert by_type["state"].value.decode() == one.text_of(saved)
    assert by_type["state"].key == str(alice.id)

    found = rows(stack, "SELECT conversation, seq, id, sender, body FROM messages"
                        " WHERE uuid = %s", (uuid_module.UUID(uuid).bytes,))
    assert len(found) == 1
    conversation, seq, number, sender, body = found[0]
    body = body.decode() if isinstance(body, bytes) else body
    assert (conversation, seq, number, sender, body) == \
        (saved["conversation"], 1, saved["id"], alice.id, text)


def test_the_events_of_a_user_use_one_partition(stack: Stack, alice: Person, bob: Person, enter):
    one = enter(alice)
    uuids = [one.say(bob.id, f"n{number}") for number in range(10)]
    for uuid in uuids:
        one.saved(uuid)
    events = records(stack, "message_events",
                     lambda found: any(uuid.encode() in found.value for uuid in uuids), 20)

    for event in events:
        for user in event.key.split(","):
            assert event.partition == event_partition(int(user)), event.key
