"""Sign-in by a code that is sent to a phone. The provider is the log of the service."""

import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pymysql
import pytest

from support.api import PASSWORD, Api, Person, check_problem, new_name
from support.phones import Phones, new_address, new_phone, service_of
from support.service import Service
from support.stack import Stack
from support.stores import rows
from support.wait import HANG_S, until

WRONG = "the code is wrong or old"


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def own_database(stack: Stack) -> dict[str, str]:
    user, password = stack.make_database_admin()
    name = f"phones_{secrets.token_hex(4)}"
    with pymysql.connect(host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=user,
                         password=password) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return {"IDENTITY_DATABASE": name, "MYSQL_USER": user, "MYSQL_PASSWORD": password,
            "MYSQL_PASSWORD_FILE": ""}


@pytest.fixture(scope="module")
def phones(stack: Stack) -> Iterator[Phones]:
    with service_of(stack) as service:
        yield Phones(service, stack)


# --- sign-up and sign-in ------------------------------------------------------------
def code_in_log(stack: Stack, phone: str) -> str:
    """As README.md shows it."""
    log = stack.run_dir / "log" / "identity-service.log"
    text = rf'"phone":"\{phone}","code":"(\d{{6}})"'
    return until("the code is in the log", lambda: re.findall(text, log.read_text()))[-1]


def test_make_run_signs_up_by_phone(stack: Stack, api: Api):
    phone, name = new_phone(), new_name()
    answer = api.http.post("/auth/phone/start", json={"phone": phone})
    assert answer.status_code == 202 and answer.json() == {"expires_in": 600}
    answer = api.http.post("/auth/phone/verify", json={
        "phone": phone, "code": code_in_log(stack, phone), "name": name})
    assert answer.status_code == 201, answer.text
    person = api.person(answer, PASSWORD)
    assert person.name == name
    assert api.get("/auth/profile", person)["phone"] == phone


def client(stack: Stack, state: Path, *words: str) -> subprocess.Popen:
    """client-test with a folder of state; what it asks for comes from stdin."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("PARLEY_")}
    return subprocess.Popen(
        [stack.binary("client-test"), *words], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment | {"XDG_STATE_HOME": str(state), "PARLEY_URL": stack.url})


def test_client_test_signs_up_and_changes_its_phone(stack: Stack, api: Api, tmp_path: Path):
    phone, second, name = new_phone(), new_phone(), new_name()
    child = client(stack, tmp_path, "phone", "login", phone, "--name", name)
    said, complaint = child.communicate(code_in_log(stack, phone) + "\n", timeout=HANG_S)
    assert child.returncode == 0 and f"signed in as {name}" in said, complaint
    child = client(stack, tmp_path, "phone", "attach", second)
    said, complaint = child.communicate(code_in_log(stack, second) + "\n", timeout=HANG_S)
    assert child.returncode == 0 and f"{second} is the phone of {name}" in said, complaint
    said, _ = client(stack, tmp_path, "profile").communicate(timeout=HANG_S)
    assert second in said and name in said
    for words, code in ((("login", phone, "--code", "000000"), 1), (("attach", "123"), 1),
                        (("login",), 100), (("detach", phone), 100)):
        child = client(stack, tmp_path, "phone", *words)
        _, complaint = child.communicate(timeout=HANG_S)
        assert (child.returncode, bool(complaint)) == (code, True)


def test_a_phone_signs_up_then_in(phones: Phones):
    phone, name = new_phone(), new_name()
    answer = phones.verify(phone, phones.code(phone), name=name)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    person = phones.api.person(answer, PASSWORD)
    assert person.name == name
    assert phones.api.user_of_token(person.token).json()["id"] == person.id
    assert phones.api.refresh(person.refresh_token)
    again = phones.verify(phone, phones.code(phone), name=new_name())
    assert again.status_code == 200
    assert again.json()["user"] == {"id": person.id, "name": name}
    assert again.json()["token"] != person.token
    assert len(phones.api.sessions(person)) == 2


@pytest.mark.parametrize("members", [{}, {"name": None}])
def test_a_name_is_made_up(phones: Phones, members: dict):
    names = [phones.sign_up(**members).name for _ in range(2)]
    assert names[0] != names[1]
    assert all(re.fullmatch(r"user-[a-z2-9]{10}", name) for name in names)


def test_a_taken_name_leaves_the_code_good(phones: Phones):
    taken, phone, name = phones.sign_up(name=new_name()).name, new_phone(), new_name()
    code = phones.code(phone)
    for spelling in [taken, taken.upper()] * 5:
        check_problem(phones.verify(phone, code, name=spelling), 409)
    assert phones.verify(phone, code, name=name).json()["user"]["name"] == name
    check_problem(phones.verify(phone, code, name=name), 401)


def test_a_phone_alone_has_no_password(phones: Phones):
    """A sign-in by password says the same as for a name that does not exist."""
    person = phones.sign_up(name=new_name())
    answers = [phones.api.http.post("/auth/login", json={"name": name, "password": password})
               for name in (person.name, new_name()) for password in ("", PASSWORD)]
    assert len({answer.text for answer in answers}) == 1
    check_problem(answers[0], 401)


# --- codes --------------------------------------------------------------------------
def test_a_code_is_good_once(phones: Phones):
    phone = new_phone()
    code = phones.code(phone)
    assert re.fullmatch(r"\d{6}", code)
    assert phones.verify(phone, code).status_code == 201
    for _ in range(2):
        assert check_problem(phones.verify(phone, code), 401)["detail"] == WRONG


def test_a_code_is_good_for_its_phone_only(phones: Phones):
    phone = new_phone()
    code = phones.code(phone)
    check_problem(phones.verify(new_phone(), code), 401)
    assert phones.verify(phone, code).status_code == 201


def test_a_new_code_takes_the_place_of_the_old_one(phones: Phones):
    phone = new_phone()
    old = phones.code(phone)
    new = until("another code", lambda: code if (code := phones.code(phone)) != old else None)
    check_problem(phones.verify(phone, old), 401)
    assert phones.verify(phone, new).status_code == 201


def test_five_wrong_tries_end_a_code(phones: Phones):
    phone = new_phone()
    code = phones.code(phone)
    for _ in range(5):
        assert check_problem(phones.verify(phone, other(code)), 401)["detail"] == WRONG
    assert check_problem(phones.verify(phone, code), 401)["detail"] == WRONG
    code = phones.code(phone)
    for _ in range(4):
        check_problem(phones.verify(phone, other(code)), 401)
    assert phones.verify(phone, code).status_code == 201


def test_parallel_tries_share_the_limit(phones: Phones):
    phone = new_phone()
    code = phones.code(phone)
    wrong = {f"{(int(code) + n) % 10**6:06}" for n in range(1, 13)}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda guess: phones.verify(phone, guess), wrong))
    assert {answer.status_code for answer in answers} == {401}
    assert rows(phones.stack, "SELECT tries FROM phone_codes WHERE phone = %s", (phone,),
                "identity") == [(5,)]
    check_problem(phones.verify(phone, code), 401)


def test_a_code_makes_one_account_when_it_is_sent_twice_at_once(phones: Phones):
    phone = new_phone()
    code = phones.code(phone)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: phones.verify(phone, code), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


def test_an_old_code_is_refused(phones: Phones):
    phone = new_phone()
    code = phones.code(phone)
    left = rows(phones.stack, "SELECT TIMESTAMPDIFF(SECOND, sent_at, expires_at), digest"
                " FROM phone_codes WHERE phone = %s", (phone,), "identity")
    assert left[0][0] == 600
    assert len(left[0][1]) == 32 and code.encode() not in left[0][1]
    rows(phones.stack, "UPDATE phone_codes SET expires_at = NOW(3) WHERE phone = %s", (phone,),
         "identity")
    assert check_problem(phones.verify(phone, code), 401)["detail"] == WRONG


def test_past_the_failures_of_an_address_right_codes_are_refused(stack: Stack):
    with service_of(stack, IDENTITY_GUESS_ADDRESS_MAX="3") as service:
        phones, address, phone = Phones(service, stack), new_address(), new_phone()
        code = phones.code(phone)
        for _ in range(3):
            check_problem(phones.verify(new_phone(), code, address), 401)
        check_problem(phones.verify(phone, code, address), 429)
        assert phones.verify(phone, code, new_address()).status_code == 201


# --- limits on codes ----------------------------------------------------------------
def refused(phones: Phones, phone: str, headers: dict[str, str]) -> dict:
    """429, and no code."""
    before = len(phones.service.events("sms.code"))
    answer = phones.start(phone, **headers)
    problem = check_problem(answer, 429)
    phones.code(new_phone("7"))  # sent after what the refused request might have sent
    assert len(phones.service.events("sms.code")) == before + 1
    return {"wait": int(answer.headers["Retry-After"])} | problem


def test_a_phone_gets_a_code_each_thirty_seconds(stack: Stack):
    with service_of(stack, IDENTITY_CODE_INTERVAL="30") as service:
        phones = Phones(service, stack)
        known, unknown = new_phone(), new_phone()
        phones.sign_up(known)
        phones.code(unknown)
        said = [refused(phones, phone, {}) for phone in (known, unknown)]
        assert all(1 <= problem.pop("wait") <= 30 for problem in said)
        assert said[0] == said[1]
        for phone in (known, unknown):
            rows(stack, "UPDATE phone_codes SET sent_at = sent_at - INTERVAL 30 SECOND"
                 " WHERE phone = %s", (phone,), "identity")
            phones.code(phone)


def test_the_limits_of_phone_and_address(stack: Stack):
    with service_of(stack, IDENTITY_CODE_PHONE_MAX="3", IDENTITY_CODE_ADDRESS_MAX="4") as service:
        phones = Phones(service, stack)
        phone, address = new_phone(), new_address()
        for _ in range(3):
            phones.code(phone)
        assert 3500 < refused(phones, phone, {})["wait"] <= 3720
        for _ in range(4):
            phones.code(new_phone(), **address)
        assert 3500 < refused(phones, new_phone(), address)["wait"] <= 3720
        assert phones.start(new_phone(), **new_address()).status_code == 202


@pytest.mark.parametrize("setting", ["IDENTITY_CODE_COUNTRY_MAX", "IDENTITY_CODE_TOTAL_MAX"])
def test_the_limits_of_a_country_and_in_all(stack: Stack, setting: str):
    """With a database of its own: all phones count."""
    with service_of(stack, **own_database(stack), **{setting: "4"}) as service:
        phones = Phones(service, stack)
        for _ in range(4):
            phones.code(new_phone("995"))
        check_problem(phones.start(new_phone("995")), 429)
        elsewhere = phones.start(new_phone("996"))
        assert elsewhere.status_code == (202 if "COUNTRY" in setting else 429)
        subject = "country" if "COUNTRY" in setting else "total"
        text = service.ask_admin("/metrics").text
        assert f'parley_phone_codes_refused_total{{subject="{subject}"}} ' \
            f'{1 if subject == "country" else 2}' in text


def test_a_country_that_sends_few_codes_back_gets_few(stack: Stack):
    with service_of(stack, **own_database(stack), IDENTITY_CODE_USED_FROM="4",
                    IDENTITY_CODE_USED_PERCENT="50") as service:
        phones = Phones(service, stack)
        codes = {phone: phones.code(phone) for phone in (new_phone("995") for _ in range(4))}
        assert refused(phones, new_phone("995"), {})["wait"] > 3500
        assert phones.start(new_phone("996")).status_code == 202
        assert [event["country"] for event in service.events("codes.few_used")] == ["995"]
        assert 'parley_phone_codes_refused_total{subject="few_used"} 1' in \
            service.ask_admin("/metrics").text
        for phone, code in list(codes.items())[:2]:
            assert phones.verify(phone, code).status_code == 201
        assert phones.start(new_phone("995")).status_code == 202


# --- what strangers learn -----------------------------------------------------------
def test_known_and_unknown_phones_get_the_same(phones: Phones):
    known = new_phone()
    phones.sign_up(known)
    answers = [phones.start(phone) for phone in (known, new_phone())]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    same = [{name: value for name, value in answer.headers.items() if name != "date"}
            for answer in answers]
    assert same[0] == same[1]
    wrong = [phones.verify(phone, "000000" if code != "000000" else "000001")
             for phone in (known, new_phone()) for code in [phones.code(phone)]]
    assert wrong[0].text == wrong[1].text
    check_problem(wrong[0], 401)


def test_the_answers_do_not_depend_on_the_users(stack: Stack):
    """While the table of users is locked, `start` and a wrong code are answered as ever. So no
    time can tell whether a phone belongs to a user."""
    own = own_database(stack)
    with service_of(stack, **own) as service, pymysql.connect(
            host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=own["MYSQL_USER"],
            password=own["MYSQL_PASSWORD"], database=own["IDENTITY_DATABASE"]) as connection:
        phones = Phones(service, stack)
        known, unknown = new_phone(), new_phone()
        phones.sign_up(known)
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLES users WRITE")
            for phone in (known, unknown):
                code = phones.code(phone)
                check_problem(phones.verify(phone, other(code)), 401)
            cursor.execute("UNLOCK TABLES")


# --- a phone for an account ---------------------------------------------------------
def test_a_phone_becomes_mine(phones: Phones):
    person, phone = phones.api.register(), new_phone()
    code = phones.code(phone)
    check_problem(phones.attach(person, phone, other(code)), 403)
    check_problem(phones.attach(None, phone, code), 401)
    answer = phones.attach(person, phone, code)
    assert answer.status_code == 200
    assert answer.json() == phones.api.get("/auth/profile", person)
    assert answer.json()["phone"] == phone
    check_problem(phones.attach(person, phone, code), 403)
    assert phones.user_of(phone) == person.id
    assert phones.attach(person, phone, phones.code(phone)).status_code == 200
    assert phones.api.login(person.name).id == person.id


def test_a_new_phone_takes_the_place_of_the_old_one(phones: Phones):
    person, old, new = phones.api.register(), new_phone(), new_phone()
    for phone in (old, new):
        assert phones.attach(person, phone, phones.code(phone)).json()["phone"] == phone
    assert phones.user_of(new) == person.id
    assert phones.sign_up(old).id != person.id


def test_a_phone_moves_from_an_account_with_a_password(phones: Phones):
    first, second, phone = phones.api.register(), phones.api.register(), new_phone()
    for person in (first, second):
        assert phones.attach(person, phone, phones.code(phone)).status_code == 200
    assert phones.api.get("/auth/profile", first)["phone"] is None
    assert phones.user_of(phone) == second.id


def test_the_only_way_into_an_account_stays(phones: Phones):
    phone, person = new_phone(), phones.api.register()
    owner = phones.sign_up(phone)
    code = phones.code(phone)
    for _ in range(6):
        check_problem(phones.attach(person, phone, code), 409)
    assert phones.api.get("/auth/profile", person)["phone"] is None
    assert phones.verify(phone, code).json()["user"]["id"] == owner.id


# --- a password for an account ------------------------------------------------------
def set_password(phones: Phones, person: Person, **members) -> httpx.Response:
    return phones.api.ask("POST", "/auth/password", person, json=members)


def test_a_code_sets_the_first_password(phones: Phones):
    """All other sessions end, as with any new password."""
    phone = new_phone()
    person = phones.sign_up(phone, name=new_name())
    other_session = phones.api.person(phones.verify(phone, phones.code(phone)), "")
    code = phones.code(phone)
    check_problem(set_password(phones, person, code=other(code), new_password=PASSWORD), 403)
    check_problem(phones.api.http.post("/auth/login", json={"name": person.name,
                                                            "password": PASSWORD}), 401)
    assert set_password(phones, person, code=code, new_password=PASSWORD).status_code == 204
    assert phones.api.login(person.name).id == person.id
    assert phones.api.user_of_token(person.token).status_code == 200
    until("the other session ends",
          lambda: phones.api.user_of_token(other_session.token).status_code == 401)
    code = phones.code(phone)
    answer = set_password(phones, person, code=code, new_password="another password")
    assert "old_password" in check_problem(answer, 422)["detail"]
    assert phones.api.login(person.name).id == person.id


def test_a_code_for_a_password_is_checked_like_any_other(phones: Phones):
    phone = new_phone()
    person, someone = phones.sign_up(phone), phones.api.register()
    code = phones.code(phone)
    for members in ({"code": code}, {"code": code, "new_password": "short"},
                    {"code": "12345", "new_password": PASSWORD},
                    {"code": 123456, "new_password": PASSWORD},
                    {"code": None, "new_password": PASSWORD},
                    {"code": code, "old_password": "", "new_password": PASSWORD}):
        check_problem(set_password(phones, person, **members), 422)
    check_problem(set_password(phones, someone, code=code, new_password=PASSWORD + "!"), 422)
    check_problem(phones.api.http.post("/auth/password",
                                       json={"code": code, "new_password": PASSWORD}), 401)
    assert set_password(phones, person, code=code, new_password=PASSWORD).status_code == 204
    assert phones.user_of(phone) == person.id


# --- bad input ----------------------------------------------------------------------
BAD_PHONES = [None, 4915112345678, True, [], {}, "", "+", "4915112345678", "+0151123456789",
              "+49", "+491511", "+4915112345678901", "+49 151 12345678", "+49-151-12345678",
              " +4915112345678", "+4915112345678 ", "+49151123456\u0667", "+49151abc5678",
              "tel:+4915112345678", "++4915112345678", "+4915112345678\u0000"]
BAD_CODES = [None, 123456, True, [], "", "12345", "1234567", "12345a", " 12345", "123 456",
             "１２３４５６", "-12345", "+12345"]
BAD_NAMES = [7, [], "", " a", "a ", "a\u202eb", "x" * 65]
CALLS = ("/auth/phone/start", "/auth/phone/verify", "/auth/phone")


@pytest.mark.parametrize("path", CALLS)
def test_bad_phones_are_refused(phones: Phones, path: str):
    person = phones.api.register()
    for phone in BAD_PHONES:
        body = {"phone": phone, "code": "123456"}
        status = 400 if isinstance(phone, str) and "\0" in phone else 422
        problem = check_problem(phones.api.ask("POST", path, person, json=body), status)
        assert status == 400 or problem["detail"].startswith("phone ")
    check_problem(phones.api.ask("POST", path, person, json={"code": "123456"}), 422)


@pytest.mark.parametrize("path", CALLS[1:])
def test_bad_codes_and_names_are_refused(phones: Phones, path: str):
    person, phone = phones.api.register(), new_phone()
    for code in BAD_CODES:
        answer = phones.api.ask("POST", path, person, json={"phone": phone, "code": code})
        assert check_problem(answer, 422)["detail"].startswith("code ")
    check_problem(phones.api.ask("POST", path, person, json={"phone": phone}), 422)
    for name in BAD_NAMES if path == CALLS[1] else []:
        check_problem(phones.verify(phone, "123456", name=name), 422)


@pytest.mark.parametrize("path", CALLS)
def test_bad_bodies_are_refused(phones: Phones, path: str):
    headers = phones.api.register().bearer | {"Content-Type": "application/json"}
    twice = b'{"phone":"+4915112345678","phone":"+4915112345679","code":"123456"}'
    for body in (b"", b"[]", b'"+4915112345678"', b"{", twice, b'{"phone":"\xff"}'):
        check_problem(phones.api.http.post(path, content=body, headers=headers), 400)
    check_problem(phones.api.http.post(path, content=b" " * 17000, headers=headers), 413)
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        check_problem(phones.api.http.post(path, content=b"phone=%2B4915112345678&code=123456",
                                           headers=headers | {"Content-Type": kind}), 415)
    check_problem(phones.api.http.get(path, headers=headers), 405)


def test_without_a_provider_the_calls_say_so(stack: Stack):
    with Service(stack, "identity-service", SMS_PROVIDER="") as service:
        phones = Phones(service, stack)
        person, phone = phones.api.register(), new_phone()
        for answer in (phones.start(phone), phones.verify(phone, "123456"),
                       phones.attach(person, phone, "123456")):
            assert "SMS_PROVIDER" in check_problem(answer, 501)["detail"]


# --- deletion -----------------------------------------------------------------------
def delete(phones: Phones, person: Person, code: str) -> httpx.Response:
    return phones.api.ask("DELETE", "/auth/account", person, json={"code": code})


def test_a_code_deletes_the_account_and_the_phone_is_free(phones: Phones):
    phone = new_phone()
    person = phones.sign_up(phone)
    code = phones.code(phone)
    check_problem(delete(phones, person, other(code)), 403)
    assert phones.api.user_of_token(person.token).status_code == 200
    assert delete(phones, person, code).status_code == 204
    check_problem(phones.api.user_of_token(person.token), 401)
    check_problem(phones.api.ask_refresh(person.refresh_token), 401)
    again = phones.sign_up(phone)
    assert again.id != person.id
    check_problem(phones.api.ask("GET", f"/auth/users/{person.id}", again), 410)


def test_a_code_for_another_phone_deletes_nothing(phones: Phones):
    phone, unknown = new_phone(), new_phone()
    person = phones.sign_up(phone)
    check_problem(delete(phones, person, phones.code(unknown)), 403)
    assert phones.user_of(phone) == person.id


def test_a_password_deletes_an_account_with_a_phone(phones: Phones):
    phone, person = new_phone(), phones.api.register()
    assert phones.attach(person, phone, phones.code(phone)).status_code == 200
    code = phones.code(phone)
    assert phones.api.ask("POST", "/auth/account/delete", person,
                          json={"password": person.password}).status_code == 204
    # The code that was sent before makes a new account.
    answer = phones.verify(phone, code)
    assert answer.status_code == 201 and answer.json()["user"]["id"] != person.id


def test_no_sign_in_by_phone_survives_a_deletion(phones: Phones):
    for _ in range(5):
        phone, person = new_phone(), phones.api.register()
        assert phones.attach(person, phone, phones.code(phone)).status_code == 200
        code = phones.code(phone)
        with ThreadPoolExecutor(2) as pool:
            signs_in = pool.submit(phones.verify, phone, code)
            deletes = pool.submit(phones.api.ask, "POST", "/auth/account/delete", person,
                                  json={"password": person.password})
        assert deletes.result().status_code == 204
        answer = signs_in.result()
        assert answer.status_code in (200, 201), answer.text
        token = phones.api.user_of_token(answer.json()["token"])
        if answer.status_code == 200:  # before the deletion
            check_problem(token, 401)
        else:
            assert token.json()["id"] != person.id
