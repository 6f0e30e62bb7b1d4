"""Names and passwords as people type them, in any normal form and spelling."""

import ctypes
import secrets
import unicodedata

import pytest

from support.api import PASSWORD, Api, Person, check_problem, new_name
from support.conversations import new_channel_name
from support.service import Service
from support.stack import Stack
from support.stores import database, rows

CAFE, CAFE_APART = "Café", "Cafe\u0301"

HIDDEN = {
    "zero width space": "\u200b", "word joiners": "\u2060\u2060", "hangul filler": "\u3164",
    "soft hyphen": "adm\u00adin", "override": "\u202eabc", "left-to-right mark": "a\u200eb",
    "joiner between latin letters": "ad\u200dmin", "selector after a letter": "a\ufe0f",
    "tags": "a\U000E0041\U000E007F", "byte order mark": "\ufeffa", "braille blank": "\u2800",
    "a mark alone": "\u0301", "private use": "\ue000", "unassigned": "a\u0378",
    "noncharacter": "a\uffff", "line separator": "a\u2028b",
}
VISIBLE = {
    "persian": "می\u200cخواهم", "hindi": "क्\u200dष", "family": "👩\u200d👩\u200d👧",
    "heart": "❤\ufe0f", "keycap": "1\ufe0f\u20e3",
    "england": "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
}
# The first is taken; the second is the same name.
SAME = {
    "sharp s": ("Straße {}", "STRASSE {}"), "ligature": ("ﬁsh {}", "FISH {}"),
    "n with apostrophe": ("ŉews {}", "ʼnews {}"), "accents": ("ÉCOLE {}", "e\u0301cole {}"),
    "final sigma": ("ΣΊΣΥΦΟΣ {}", "σίσυφος {}"), "wide": ("Ａlice {}", "alice {}"),
    "half width": ("ｶﾞ {}", "ガ {}"), "roman numeral": ("Ⅳ {}", "iv {}"),
    "emoji style": ("❤\ufe0f {}", "❤ {}"), "hangul": ("한 {}", "\u1112\u1161\u11ab {}"),
}


def register(api: Api, name: str, password: str = PASSWORD):
    return api.http.post("/auth/register", json={"name": name, "password": password})


def login(api: Api, name: str, password: str):
    return api.http.post("/auth/login", json={"name": name, "password": password})


def make(api: Api, person: Person, name: str, kind: str = "channel"):
    return api.ask("POST", "/conversations", person, json={"kind": kind, "name": name})


def find_user(api: Api, person: Person, name: str):
    return api.ask("GET", "/auth/users", person, params={"name": name})


def found_channels(api: Api, person: Person, text: str) -> list[int]:
    return [channel["id"] for channel in
            api.get("/channels", person, search=text)["channels"]]


@pytest.mark.parametrize("name", HIDDEN.values(), ids=HIDDEN.keys())
def test_hidden_characters_make_no_name(name: str, api: Api, alice: Person):
    check_problem(register(api, name), 422)
    for kind in ("group", "channel"):
        check_problem(make(api, alice, name, kind), 422)
    group = make(api, alice, new_channel_name("group"), "group").json()
    check_problem(api.ask("PATCH", f"/conversations/{group['id']}", alice,
                          json={"name": name}), 422)


@pytest.mark.parametrize("name", VISIBLE.values(), ids=VISIBLE.keys())
def test_joiners_and_selectors_are_kept_where_they_show(name: str, api: Api, alice: Person):
    name = f"{name} {new_name()}"
    assert api.register(name).name == name
    assert make(api, alice, name).json()["name"] == name


@pytest.mark.parametrize("first, second", SAME.values(), ids=SAME.keys())
def test_a_taken_name_is_found(first: str, second: str, api: Api, alice: Person):
    tail = new_channel_name("x")
    first, second = first.format(tail), second.format(tail)
    person = api.register(first)
    assert person.name == unicodedata.normalize("NFC", first)
    check_problem(register(api, second), 409)
    for name in (first, second):
        assert find_user(api, alice, name).json()["id"] == person.id
        assert api.login(name).id == person.id
    channel = make(api, alice, first).json()
    assert channel["name"] == unicodedata.normalize("NFC", first)
    check_problem(make(api, alice, second), 409)
    for text in (first, second, second.upper(), tail):
        assert found_channels(api, alice, text) == [channel["id"]]


def test_a_search_finds_without_accents_and_in_any_normal_form(api: Api, alice: Person):
    tail = new_channel_name("x")
    channel = make(api, alice, f"{CAFE_APART} {tail}").json()
    assert channel["name"] == f"{CAFE} {tail}"
    for text in (f"cafe {tail}", f"{CAFE} {tail}", f"{CAFE_APART} {tail}", f"CAFÉ {tail}"[:-1]):
        assert found_channels(api, alice, text) == [channel["id"]]
    assert found_channels(api, alice, "\u0301") == []
    assert found_channels(api, alice, "\u200b") == []


def test_limits_count_after_normalisation(api: Api, alice: Person):
    """64 letters with a combining accent are 64 characters."""
    tail = new_name()[:32]
    name = "e\u0301" * (64 - len(tail)) + tail
    assert len(name) > 64
    person = api.register(name)
    assert len(person.name) == 64
    assert find_user(api, alice, name).json()["id"] == person.id
    check_problem(register(api, "x" + name), 422)
    channel = make(api, alice, name)
    assert channel.status_code == 201
    assert found_channels(api, alice, name) == [channel.json()["id"]]
    check_problem(register(api, "\u0958" * 33), 422)  # two each, composed


PASSWORDS = {
    "decomposed": ("Grüße aus Köln", unicodedata.normalize("NFD", "Grüße aus Köln")),
    "spaces": ("correct horse 1", "correct\u00a0horse\u20031"),
    "hangul": ("비밀번호", unicodedata.normalize("NFD", "비밀번호")),
}


@pytest.mark.parametrize("one, other", PASSWORDS.values(), ids=PASSWORDS.keys())
def test_a_password_is_right_from_any_keyboard(one: str, other: str, api: Api):
    for chosen, typed in ((one, other), (other, one)):
        person = api.register(password=chosen)
        assert api.login(person.name, typed).id == person.id
        assert api.login(person.name, chosen).id == person.id
        check_problem(login(api, person.name, typed.swapcase() + "x"), 401)


def test_passwords_keep_case_and_compatibility_characters(api: Api):
    person = api.register(password="ﬁsh and Ａpple")
    for wrong in ("fish and Apple", "ﬁsh and ａpple", "ﬁsh  and Ａpple"):
        check_problem(login(api, person.name, wrong), 401)
    assert api.login(person.name, "ﬁsh and Ａpple").id == person.id


@pytest.mark.parametrize("password", ["1234567\n", "\x00" "12345678", "12345678\x7f",
                                      "12345678\u0085"], ids=["newline", "nul", "del", "c1"])
def test_control_characters_make_no_password(password: str, api: Api):
    check_problem(register(api, new_name(), password), 400 if "\x00" in password else 422)


@pytest.mark.parametrize("password", ["", "x", "1234567\n", "\u202e", "x" * 257, "x" * 15000],
                         ids=["empty", "short", "control", "bidi", "long", "very long"])
def test_no_password_is_refused_for_its_form_at_sign_in(password: str, api: Api, alice: Person):
    answers = [login(api, name, password) for name in (alice.name, new_name())]
    for answer in answers:
        check_problem(answer, 401)
    assert answers[0].text == answers[1].text


# --- accounts of an older version ------------------------------------------------------
def argon2_hash(password: bytes) -> bytes:
    """As identity-service hashes it."""
    number, size, text = ctypes.c_uint32, ctypes.c_size_t, ctypes.c_char_p
    hash_encoded = ctypes.CDLL("libargon2.so.1").argon2id_hash_encoded
    hash_encoded.argtypes = [number, number, number, text, size, text, size, size, text, size]
    encoded, salt = ctypes.create_string_buffer(128), secrets.token_bytes(16)
    failed = hash_encoded(2, 19456, 1, password, len(password), salt, len(salt), 32, encoded,
                          len(encoded))
    assert failed == 0
    return encoded.value


def old_account(stack: Stack, name: str, password: str) -> int:
    """An account whose key only folds case, and whose password was hashed as it was sent."""
    with database(stack, "identity") as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO users (name, name_key, password_hash) VALUES (%s, %s, %s)",
                       (name, name.casefold().encode(), argon2_hash(password.encode())))
        return cursor.lastrowid


OLD = {
    "ascii": ("Old {}", "correct horse 1"),
    "decomposed": ("Zoe\u0308 {}", unicodedata.normalize("NFD", "Grüße aus Köln")),
    "wide": ("Ａlice {}", "correct\u00a0horse"),
    "hidden": ("adm\u00adin {}", "tab\tand\nnewline"),
    "private use": ("\ue000 {}", "x" * 256),
}


@pytest.mark.parametrize("name, password", OLD.values(), ids=OLD.keys())
def test_an_account_of_before_signs_in_as_before(name: str, password: str, stack: Stack,
                                                 api: Api, alice: Person):
    name = name.format(new_name())
    number = old_account(stack, name, password)
    person = api.login(name, password)
    assert (person.id, person.name) == (number, name)
    assert api.login(name.upper(), password).id == number
    assert find_user(api, alice, name).json()["id"] == number
    check_problem(login(api, name, password + "x"), 401)
    check_problem(register(api, name), 422 if "\u00ad" in name or "\ue000" in name else 409)


def test_accounts_of_before_that_share_a_name_now_stay_apart(stack: Stack, api: Api):
    tail = new_name()
    passwords = {f"Zoë {tail}": "the first one", f"Zoe\u0308 {tail}": "the second one"}
    numbers = {name: old_account(stack, name, password) for name, password in passwords.items()}
    with Service(stack, "identity-service"):  # its start renews the keys
        for name, password in passwords.items():
            assert api.login(name, password).id == numbers[name]
    for name in passwords:
        check_problem(register(api, name), 409)


def stored_hash(stack: Stack, number: int):
    return rows(stack, "SELECT password_hash FROM users WHERE id = %s", (number,),
                name="identity")[0][0]


@pytest.mark.parametrize("one, other", PASSWORDS.values(), ids=PASSWORDS.keys())
def test_a_password_of_before_is_normalised_at_sign_in(one: str, other: str, stack: Stack,
                                                       api: Api):
    name = new_name()
    number = old_account(stack, name, other)
    old = stored_hash(stack, number)
    for wrong in (one, other + "x"):
        check_problem(login(api, name, wrong), 401)
    assert stored_hash(stack, number) == old, "only the right password changes the hash"
    assert api.login(name, other).id == number
    new = stored_hash(stack, number)
    assert new != old
    for right in (one, other, one):
        assert api.login(name, right).id == number
    assert stored_hash(stack, number) == new, "it is hashed again once"
    check_problem(login(api, name, other + "x"), 401)
