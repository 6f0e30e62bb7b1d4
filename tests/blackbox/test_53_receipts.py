"""Receipts and unread counts: cumulative, never falling, equal on all devices."""

import pytest

from support.api import Api, Person
from support.chat import Socket
from support.conversations import assert_no_frames_of, change_of, make
from support.service import Service
from support.stack import Stack
from support.stores import rows
from support.wait import until

ABSENT = 9007199254740991


def stored_receipts(stack: Stack, conversation: int, person: Person) -> tuple[int, int]:
    """(delivered, read) in the database."""
    found, = rows(stack, "SELECT delivered_seq, read_seq FROM members"
                         " WHERE conversation = %s AND user = %s", (conversation, person.id))
    return found


def unread(api: Api, person: Person, conversation: int) -> int:
    return api.conversation(person, conversation)["unread"]


def expect_receipt(socket: Socket, person: Person, conversation: int, delivered: int,
                   read: int) -> dict:
    """Waits for this receipt frame; earlier receipts may have been coalesced."""
    return socket.expect(type="receipt", conversation=conversation, user=person.id,
                         delivered=delivered, read=read)


@pytest.fixture
def direct(api: Api, alice: Person, bob: Person, enter) -> tuple[int, Socket, Socket]:
    """Alice has sent bob three messages. Returns the conversation and a socket of each user."""
    one, two = enter(alice), enter(bob)
    uuids = [one.say(bob.id, f"number {number}") for number in range(3)]
    conversation = [one.saved(uuid) for uuid in uuids][0]["conversation"]
    for uuid in uuids:
        two.expect(type="message", uuid=uuid)
    return conversation, one, two


def test_a_receipt_reaches_all_sockets_of_both_users(direct, api: Api, alice: Person, bob: Person,
                                                     enter):
    conversation, one, two = direct
    other = enter(bob)
    two.receipt("delivered", conversation, 2)
    for socket in (one, two, other):
        frame = expect_receipt(socket, bob, conversation, 2, 0)
        assert set(frame) == {"type", "conversation", "user", "delivered", "read"}
    two.receipt("read", conversation, 1)
    expect_receipt(one, bob, conversation, 2, 1)
    two.receipt("read", conversation, 3)  # a read message counts as delivered
    for socket in (one, other):
        expect_receipt(socket, bob, conversation, 3, 3)
    listed = api.conversation(bob, conversation)
    assert (listed["read_seq"], listed["unread"]) == (3, 0)


def test_receipts_never_fall(direct, stack: Stack, bob: Person):
    conversation, one, two = direct
    two.receipt("read", conversation, 3)
    expect_receipt(one, bob, conversation, 3, 3)
    for kind, seq in (("delivered", 1), ("read", 1), ("read", 3), ("delivered", 3)):
        two.receipt(kind, conversation, seq)
    one.saved(one.say(bob.id, "a marker in the same conversation"))
    assert all((frame["delivered"], frame["read"]) == (3, 3) for frame in one.seen
               if frame["type"] == "receipt")
    assert stored_receipts(stack, conversation, bob) == (3, 3)


def test_receipts_never_fall_across_gateways(direct, stack: Stack, bob: Person, enter):
    """Each gateway knows its own highest receipt; the database knows the highest of all."""
    conversation, one, two = direct
    with Service(stack, "websocket-service") as second:
        other = enter(bob, second.ws_url)
        two.receipt("read", conversation, 3)
        expect_receipt(other, bob, conversation, 3, 3)
        for kind, seq in (("delivered", 1), ("read", 2)):
            other.receipt(kind, conversation, seq)
        other.saved(other.say_in(conversation, "behind them"))
        assert [frame for frame in other.seen if frame["type"] == "receipt"
                and frame["read"] < 3] == []
        assert stored_receipts(stack, conversation, bob)[1] >= 3
        assert stored_receipts(stack, conversation, bob)[0] == 3
        one.expect(type="message", message="behind them")


def test_receipts_end_at_the_last_message(direct, stack: Stack, api: Api, bob: Person):
    conversation, one, two = direct
    two.receipt("read", conversation, ABSENT)
    expect_receipt(one, bob, conversation, 3, 3)
    assert unread(api, bob, conversation) == 0
    one.saved(one.say(bob.id, "and one more"))
    assert unread(api, bob, conversation) == 1
    assert stored_receipts(stack, conversation, bob) == (3, 3)


def test_unread_counts_the_messages_after_read_seq(direct, api: Api, alice: Person, bob: Person):
    conversation, one, two = direct
    assert (unread(api, bob, conversation), unread(api, alice, conversation)) == (3, 0)
    two.receipt("read", conversation, 2)
    expect_receipt(one, bob, conversation, 2, 2)
    assert unread(api, bob, conversation) == 1
    # A sender has read all earlier messages.
    two.saved(two.say(alice.id, "an answer"))
    assert (unread(api, bob, conversation), unread(api, alice, conversation)) == (0, 1)
    # A receipt cannot exceed the last seq, in any order.
    two.receipt("read", conversation, 1)
    two.receipt("delivered", conversation, 4)
    one.receipt("read", conversation, 4)
    expect_receipt(two, alice, conversation, 4, 4)
    assert (unread(api, bob, conversation), unread(api, alice, conversation)) == (0, 0)


def test_unread_is_the_same_on_all_devices(direct, api: Api, bob: Person, enter):
    conversation, _, first = direct
    second = enter(bob)
    first.receipt("read", conversation, 1)
    expect_receipt(second, bob, conversation, 1, 1)
    second.receipt("read", conversation, 3)
    expect_receipt(first, bob, conversation, 3, 3)
    first.receipt("read", conversation, 2)
    assert api.conversation(bob, conversation)["read_seq"] == 3
    listed, = api.conversations(bob)["conversations"]
    assert listed["unread"] == 0


def test_receipts_are_coalesced_into_few_frames(api: Api, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    uuids = [one.say(bob.id, f"n{number}") for number in range(100)]
    conversation = [one.saved(uuid) for uuid in uuids][-1]["conversation"]
    for seq in range(1, 101):
        two.receipt("read", conversation, seq)
    expect_receipt(one, bob, conversation, 100, 100)
    frames = [frame for frame in one.seen if frame["type"] == "receipt"]
    assert len(frames) < 60, "the gateway must coalesce receipts"
    reads = [frame["read"] for frame in frames]
    assert reads == sorted(set(reads)), "read_seq must rise with each frame"
    assert all(frame["delivered"] >= frame["read"] for frame in frames)


@pytest.mark.alone
@pytest.mark.slow
def test_receipts_survive_a_kill(direct, stack: Stack, api: Api, bob: Person):
    conversation, one, two = direct
    stack.stop("persistence-service")
    two.receipt("delivered", conversation, 3)
    two.receipt("read", conversation, 2)
    assert two.alive()
    stack.start("persistence-service")
    stack.wait_ready()
    expect_receipt(one, bob, conversation, 3, 2)
    two.receipt("read", conversation, 3)
    stack.kill("persistence-service")
    until("the receipt is stored", lambda: stored_receipts(stack, conversation, bob) == (3, 3))
    stack.wait_ready()
    assert unread(api, bob, conversation) == 0


# --- groups ----------------------------------------------------------------------------
def test_receipts_of_a_group_reach_its_members(api: Api, alice: Person, bob: Person, enter):
    carol, dave = api.register(), api.register()
    one, three, outside = enter(alice), enter(carol), enter(dave)
    group = make(api, alice, bob, carol)
    two = enter(bob)
    seq = one.saved(one.say_in(group.id, "hi"))["seq"]
    two.receipt("read", group.id, seq)
    for socket in (one, three):
        expect_receipt(socket, bob, group.id, seq, seq)
    assert_no_frames_of(group.id, outside, one, dave)


def test_members_can_be_listed_by_what_they_have_seen(api: Api, alice: Person, bob: Person, enter):
    carol = api.register()
    one, two = enter(alice), enter(bob)
    group = make(api, alice, bob, carol)
    seq = one.saved(one.say_in(group.id, "hi"))["seq"]

    def seen(number: int) -> set[int]:
        return {member["user"] for member in group.members(alice, seen=number)}

    assert seen(seq) == {alice.id}  # the sender
    assert seen(1) == {alice.id, bob.id, carol.id}  # they joined with it
    two.receipt("delivered", group.id, seq)
    expect_receipt(one, bob, group.id, seq, 1)
    assert seen(seq) == {alice.id}
    two.receipt("read", group.id, seq)
    expect_receipt(one, bob, group.id, seq, seq)
    assert seen(seq) == {alice.id, bob.id}
    members = {member["user"]: member for member in group.members(carol)}
    assert (members[bob.id]["delivered_seq"], members[bob.id]["read_seq"]) == (seq, seq)
    assert members[carol.id]["read_seq"] == 1
    assert all(member["read_seq"] <= member["delivered_seq"] for member in members.values())


def test_receipts_of_a_foreign_conversation_are_refused(direct, api: Api, enter):
    conversation, one, _ = direct
    eve = api.register()
    three = enter(eve)
    answers = []
    for number in (ABSENT, conversation):
        for kind in ("delivered", "read"):
            three.receipt(kind, number, 1)
            frame = three.expect(type="error", code="unknown_conversation")
            assert frame.pop("conversation") == number
            answers.append(frame)
    assert all(answer == answers[0] for answer in answers)
    assert [frame for frame in one.seen if frame["type"] == "receipt"] == []


def test_a_former_member_cannot_send_receipts(api: Api, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    group = make(api, alice, bob)
    seq = one.saved(one.say_in(group.id, "hi"))["seq"]
    group.leave(bob)
    change_of(two, group.id, "left")
    two.receipt("read", group.id, seq)
    assert two.expect(type="error")["code"] == "unknown_conversation"
