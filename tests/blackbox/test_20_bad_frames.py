"""Invalid JSON frames: each gets an error code, and the socket stays open."""

import pytest

from support.api import Api, Person
from support.bad import UUID, frame, members, nested, raw
from support.chat import Socket, open_socket
from support.stack import Stack

# description -> (frame, code, whether the uuid is readable)
FRAMES = {
    # not one strict JSON object
    "empty text": ("", "bad_json", False),
    "blanks": (" \n\t ", "bad_json", False),
    "a word": ("hello", "bad_json", False),
    "an array": ("[]", "bad_json", False),
    "a good frame in an array": (f"[{frame()}]", "bad_json", False),
    "a number": ("42", "bad_json", False),
    "a string": ('"hi"', "bad_json", False),
    "null": ("null", "bad_json", False),
    "true": ("true", "bad_json", False),
    "cut off": (frame()[:-1], "bad_json", False),
    "cut in a string": (frame()[:20], "bad_json", False),
    "bytes behind it": (frame() + "x", "bad_json", False),
    "two objects": (frame() + frame(), "bad_json", False),
    "a comma too many": (frame()[:-1] + ",}", "bad_json", False),
    "single quotes": (frame().replace('"', "'"), "bad_json", False),
    "a comment": ("/* hi */" + frame(), "bad_json", False),
    "a byte order mark": ("\ufeff" + frame(), "bad_json", False),
    "names without quotes": ("{uuid:1}", "bad_json", False),
    "NaN": (raw(user_to="NaN"), "bad_json", False),
    "Infinity": (raw(user_to="Infinity"), "bad_json", False),
    "hexadecimal": (raw(user_to="0x1"), "bad_json", False),
    "a leading zero": (raw(user_to="01"), "bad_json", False),
    "a leading plus": (raw(user_to="+1"), "bad_json", False),
    "a bare point": (raw(user_to="1."), "bad_json", False),
    "a raw newline in a string": (raw(message='"a\nb"'), "bad_json", False),
    "a raw NUL in a string": (raw(message='"a\x00b"'), "bad_json", False),
    "an escaped NUL": (raw(message=r'"a\u0000b"'), "bad_json", False),
    "a lone high surrogate": (raw(message=r'"\ud83c"'), "bad_json", False),
    "a lone low surrogate": (raw(message=r'"\udf89"'), "bad_json", False),
    "surrogates in the wrong order": (raw(message=r'"\udf89\ud83c"'), "bad_json", False),
    "an unknown escape": (raw(message=r'"\x41"'), "bad_json", False),
    "a cut escape": (raw(message=r'"\u12"'), "bad_json", False),
    "uuid twice": (f'{{"uuid":"{UUID}",' + frame()[1:], "bad_json", False),
    "user_to twice": (frame()[:-1] + ',"user_to":2}', "bad_json", False),
    "message twice, once escaped": (frame()[:-1] + r',"m\u0065ssage":"x"}', "bad_json", False),
    "an unknown name twice": (frame()[:-1] + ',"a":1,"a":1}', "bad_json", False),
    "17 deep": (frame()[:-1] + ',"a":' + nested(16) + "}", "bad_json", False),
    "1000 deep": ("[" * 1000 + "]" * 1000, "bad_json", False),
    "30000 deep": ('{"a":' * 10000 + "1" + "}" * 10000, "bad_json", False),
    "65 members": ("{" + ",".join(members(65)) + "}", "bad_json", False),
    # the uuid
    "no member at all": ("{}", "bad_uuid", False),
    "no uuid": (frame(uuid=...), "bad_uuid", False),
    "uuid null": (frame(uuid=None), "bad_uuid", False),
    "uuid a number": (frame(uuid=1), "bad_uuid", False),
    "uuid an object": (frame(uuid={}), "bad_uuid", False),
    "uuid empty": (frame(uuid=""), "bad_uuid", False),
    "uuid too short": (frame(uuid=UUID[:-1]), "bad_uuid", False),
    "uuid too long": (frame(uuid=UUID + "0"), "bad_uuid", False),
    "uuid without dashes": (frame(uuid=UUID.replace("-", "")), "bad_uuid", False),
    "uuid in braces": (frame(uuid="{" + UUID + "}"), "bad_uuid", False),
    "uuid as urn": (frame(uuid="urn:uuid:" + UUID), "bad_uuid", False),
    "uuid with a blank": (frame(uuid=" " + UUID[1:]), "bad_uuid", False),
    "uuid with a letter": (frame(uuid="g" + UUID[1:]), "bad_uuid", False),
    "uuid with dashes misplaced": (frame(uuid=UUID[:7] + "-" + UUID[7] + UUID[9:]), "bad_uuid",
                                   False),
    "uuid in full-width digits": (frame(uuid="０" + UUID[1:]), "bad_uuid", False),
    "UUID as the name": (raw().replace('"uuid"', '"UUID"'), "bad_uuid", False),
    # the type
    "type a number": (frame(type=1), "bad_frame", True),
    "type null": (frame(type=None), "bad_frame", True),
    "type empty": (frame(type=""), "unknown_type", True),
    "type unknown": (frame(type="shout"), "unknown_type", True),
    "type in capitals": (frame(type="MESSAGE"), "unknown_type", True),
    "a type of the server": (frame(type="welcome"), "unknown_type", True),
    # the text
    "no message": (frame(message=...), "bad_message", True),
    "message null": (frame(message=None), "bad_message", True),
    "message a number": (frame(message=5), "bad_message", True),
    "message an array": (frame(message=["hi"]), "bad_message", True),
    "message an object": (frame(message={"text": "hi"}), "bad_message", True),
    "message empty": (frame(message=""), "bad_message", True),
    "message in both spellings": (frame(Message="hi"), "bad_message", True),
    "MESSAGE as the name": (raw().replace('"message"', '"MESSAGE"'), "bad_message", True),
    "16385 bytes": (frame(message="x" * 16385), "message_too_long", True),
    "16386 bytes of two-byte letters": (frame(message="é" * 8193), "message_too_long", True),
    # the recipient
    "no user_to": (frame(user_to=...), "bad_user", True),
    "user_to null": (frame(user_to=None), "bad_user", True),
    "user_to 0": (frame(user_to=0), "bad_user", True),
    "user_to negative": (frame(user_to=-1), "bad_user", True),
    "user_to a fraction": (frame(user_to=2.5), "bad_user", True),
    "user_to a text": (frame(user_to="2"), "bad_user", True),
    "user_to true": (frame(user_to=True), "bad_user", True),
    "user_to a list": (frame(user_to=[2]), "bad_user", True),
    "user_to 2^53": (frame(user_to=2 ** 53), "bad_user", True),
    "user_to 2^64 + 1": (frame(user_to=2 ** 64 + 1), "bad_user", True),
    "user_to 1e999": (raw(user_to="1e999"), "bad_user", True),
    "user_to a hundred digits": (raw(user_to="1" * 100), "bad_user", True),
    "user_to almost 1": (raw(user_to="0.99999999999999999999"), "bad_user", True),
    "user_to a large fraction": (raw(user_to="9007199254740990.5"), "bad_user", True),
    "user_to unknown": (frame(user_to=2 ** 53 - 1), "unknown_user", True),
}


@pytest.fixture(scope="module")
def socket(stack: Stack, shared_api: Api):
    """One socket for all tests: it must survive every bad frame."""
    stack.wait_ready()
    with open_socket(stack.ws_url, shared_api.register()) as socket:
        yield socket


@pytest.mark.parametrize("text, code, named", FRAMES.values(), ids=FRAMES.keys())
def test_a_bad_frame_is_refused_with_a_code(text: str, code: str, named: bool,
                                            socket: Socket):
    socket.seen.clear()
    socket.send(text)
    refusal = socket.error()
    assert refusal["code"] == code, refusal
    assert refusal["retryable"] is False
    assert isinstance(refusal["detail"], str) and refusal["detail"]
    assert refusal.get("uuid") == (UUID if named else None)
    # A refusal with a valid uuid is a `state` frame.
    assert refusal["type"] == ("state" if code == "unknown_user" else "error")
    assert socket.alive()
    assert socket.seen == []


# description -> a function that makes the frame for the user's own id
EDGES = {
    "exactly 16 deep": lambda user: frame(user_to=user)[:-1] + ',"a":' + nested(15) + "}",
    "exactly 64 members": lambda user: frame(user_to=user)[:-1] + "," +
                          ",".join(members(61)) + "}",
    "blanks around": lambda user: " \r\n\t" + frame(user_to=user) + " \n",
    "an escaped pair of surrogates": lambda user: raw(str(user), r'"\ud83c\udf89"'),
    "escaped names": lambda user: raw(str(user)).replace('"uuid"', r'"\u0075uid"'),
    "a slash escaped": lambda user: raw(str(user), r'"a\/b"'),
}


@pytest.mark.parametrize("make", EDGES.values(), ids=EDGES.keys())
def test_a_frame_at_a_limit_is_accepted(make, stack: Stack, alice: Person, enter):
    socket = enter(alice)
    socket.send(make(alice.id))
    socket.saved(UUID)


def test_another_spelling_of_a_number_is_equal_or_refused(alice: Person, enter):
    """1.0 and 1e0 equal 1 in JSON: accepted as 1 or refused, never another user."""
    socket = enter(alice)
    socket.send(raw(user_to=f"{alice.id}.0"))
    frame_back = socket.expect(uuid=UUID)
    if frame_back["type"] == "error":
        assert frame_back["code"] == "bad_user"
    else:
        assert frame_back["state"] == "saved"


def test_bad_frames_save_nothing(stack: Stack, api: Api, alice: Person, enter):
    socket = enter(alice)
    for text, _, _ in FRAMES.values():
        socket.send(text)
    for _ in FRAMES:
        socket.error()
    assert socket.alive()
    assert api.conversations(alice)["conversations"] == []
