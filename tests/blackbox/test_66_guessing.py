"""The limits on guessing passwords, shared by two identity processes with a database of
their own. X-Forwarded-For, as nginx sets it, names the client."""

import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pymysql
import pytest

from support.api import PASSWORD, Api, check_problem, new_name
from support.service import Service
from support.stack import Stack
from support.wait import HANG_S

NAME_MAX, ADDRESS_MAX = 10, 40
addresses = (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in itertools.count(1))


class Identities:
    """Identity processes that share a database."""

    def __init__(self, stack: Stack, count: int, **settings: str):
        user, password = stack.make_database_admin()
        database = f"guesses_{secrets.token_hex(4)}"
        with pymysql.connect(host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=user,
                             password=password) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {database}")
        self.services = [Service(stack, "identity-service", IDENTITY_DATABASE=database,
                                 MYSQL_USER=user, MYSQL_PASSWORD=password,
                                 MYSQL_PASSWORD_FILE="", IDENTITY_HASH_THREADS="12",
                                 **settings) for _ in range(count)]
        self.turns = itertools.cycle(self.services)
        self.http = httpx.Client(trust_env=False, timeout=HANG_S)

    def start(self) -> "Identities":
        for service in self.services:
            service.start()
        for service in self.services:
            service.ready()
        return self

    def stop(self) -> None:
        for service in self.services:
            service.stop()

    def post(self, call: str, name: str, password: str, address: str) -> httpx.Response:
        return self.http.post(f"{next(self.turns).url}/auth/{call}",
                              json={"name": name, "password": password},
                              headers={"X-Forwarded-For": address})

    def register(self, name: str, address: str) -> None:
        assert self.post("register", name, PASSWORD, address).status_code == 201

    def right(self, name: str, address: str) -> httpx.Response:
        return self.post("login", name, PASSWORD, address)

    def wrong(self, name: str, address: str) -> httpx.Response:
        return self.post("login", name, "wrong password", address)

    def exhaust(self, name: str, address: str) -> None:
        for _ in range(NAME_MAX):
            check_problem(self.wrong(name, address), 401)

    def metric(self, name: str) -> int:
        total = 0
        for service in self.services:
            text = self.http.get(f"http://127.0.0.1:{service.admin_port}/metrics").text
            total += sum(int(float(line.split()[-1])) for line in text.splitlines()
                         if line.startswith(name))
        return total

    def events(self, name: str) -> list[dict]:
        return [event for service in self.services for event in service.events(name)]


@pytest.fixture(scope="module")
def two(stack: Stack) -> Iterator[Identities]:
    stack.wait_ready()
    identities = Identities(stack, 2, IDENTITY_GUESS_ADDRESS_MAX=str(ADDRESS_MAX)).start()
    yield identities
    identities.stop()


@pytest.fixture
def owner(two: Identities) -> tuple[str, str]:
    """A name, and the address from which it was registered."""
    name, address = new_name(), next(addresses)
    two.register(name, address)
    return name, address


def wait_of(answer: httpx.Response) -> int:
    check_problem(answer, 429)
    return int(answer.headers["Retry-After"])


def refusals(attempt: Callable[[], httpx.Response], count: int) -> list[httpx.Response]:
    """The next refusals. After the wait of a refusal, one attempt may be let through."""
    found, sent, wait, let_through = [], 0.0, 0, False
    while len(found) < count:
        began = time.monotonic()
        answer = attempt()
        if answer.status_code == 429:
            found, sent, wait, let_through = [*found, answer], began, wait_of(answer), False
        else:
            assert not let_through and time.monotonic() >= sent + wait
            let_through = True
    return found


def waits(attempt: Callable[[], httpx.Response], count: int) -> list[int]:
    return [wait_of(answer) for answer in refusals(attempt, count)]


def shape(answer: httpx.Response) -> tuple:
    return (answer.status_code, answer.text,
            sorted((name, value) for name, value in answer.headers.items() if name != "date"))


def test_past_the_limit_a_right_password_is_refused_as_well(two: Identities, owner):
    name, _ = owner
    stranger = next(addresses)
    two.exhaust(name, stranger)
    assert waits(lambda: two.right(name, stranger), 1) == [1]
    assert waits(lambda: two.right(name.upper(), next(addresses)), 4) == [2, 4, 8, 16]
    assert two.events("login.limited")


def test_an_unknown_name_is_limited_in_the_same_way(two: Identities, owner):
    names = (owner[0], new_name())
    shapes = []
    for name in names:
        answers = [two.wrong(name, next(addresses)) for _ in range(NAME_MAX)]
        answers += refusals(lambda: two.wrong(name, next(addresses)), 4)
        shapes.append([shape(answer) for answer in answers])
    assert shapes[0] == shapes[1]
    assert [code for code, *_ in shapes[0]] == [401] * NAME_MAX + [429] * 4


@pytest.mark.slow
def test_a_refused_attempt_checks_nothing(two: Identities, owner):
    name, _ = owner
    two.exhaust(name, next(addresses))
    two.exhaust(unknown := new_name(), next(addresses))
    hashes = two.metric("parley_password_hash_seconds_count")
    refused = two.metric('parley_guesses_refused_total{subject="name"}')
    answers = [two.wrong(tried, next(addresses)) for tried in (name, unknown) * 5]
    codes = [answer.status_code for answer in answers]
    # On a slow machine the first waits may be over before the next attempt.
    assert codes[:2] == [429, 429]
    assert two.metric("parley_password_hash_seconds_count") == hashes + codes.count(401)
    assert two.metric('parley_guesses_refused_total{subject="name"}') == \
        refused + codes.count(429)


@pytest.mark.slow
def test_a_stranger_does_not_lock_the_owner_out(two: Identities, owner):
    name, home = owner
    two.exhaust(name, next(addresses))
    assert waits(lambda: two.right(name, next(addresses)), 1) == [1]
    assert two.right(name, home).status_code == 200
    # The owner has as many failures, and the stranger none more.
    two.exhaust(name, home)
    assert waits(lambda: two.right(name, home), 2) == [1, 2]
    assert waits(lambda: two.wrong(name, next(addresses)), 1) == [2]


def test_an_address_is_known_after_a_sign_in(two: Identities, owner):
    name, _ = owner
    office = next(addresses)
    assert two.right(name, office).status_code == 200
    two.exhaust(name, next(addresses))
    assert two.right(name, office).status_code == 200


def test_parallel_guesses_do_not_pass_the_limit(two: Identities, owner):
    name, _ = owner
    began = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda address: two.wrong(name, address),
                                itertools.islice(addresses, 20)))
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {401, 429}
    # One more may be let through after a wait, which takes a second at least.
    assert NAME_MAX <= codes.count(401) <= NAME_MAX + int(time.monotonic() - began)


def test_after_the_wait_one_attempt_is_let_through(two: Identities, owner):
    name, _ = owner
    two.exhaust(name, next(addresses))
    assert wait_of(two.right(name, next(addresses))) == 1
    time.sleep(1)
    assert two.right(name, home := next(addresses)).status_code == 200
    assert two.right(name, home).status_code == 200  # known by now
    # The one attempt was the stranger's, too.
    assert wait_of(two.right(name, next(addresses))) == 2


@pytest.mark.prove
@pytest.mark.parametrize("here, near, far", [
    ("192.0.2.{}", "192.0.2.{}", "198.18.0.{}"),
    ("2001:db8:{}::1", "2001:db8:{}:0:ffff::2", "2001:db8:{}:1::1")], ids=["ipv4", "ipv6"])
def test_an_address_has_a_limit_over_all_names(here: str, near: str, far: str,
                                               two: Identities, owner):
    name, home = owner
    number = secrets.randbelow(200) + 1
    here, near, far = (text.format(number) for text in (here, near, far))
    for count in range(ADDRESS_MAX):
        check_problem(two.wrong(new_name(), here if count % 2 else near), 401)
    assert waits(lambda: two.right(name, near), 1) == [1]
    assert waits(lambda: two.wrong(new_name(), here), 2) == [2, 4]
    assert two.right(name, home).status_code == 200
    assert two.right(name, far).status_code == 200


@pytest.mark.slow
def test_successes_are_not_counted(two: Identities, owner):
    name, home = owner
    for _ in range(ADDRESS_MAX + 5):
        assert two.right(name, home).status_code == 200
    stranger = next(addresses)
    for _ in range(NAME_MAX + 5):
        assert two.right(name, stranger).status_code == 200


def test_a_restart_forgets_nothing(stack: Stack):
    stack.wait_ready()
    restarted = Identities(stack, 2).start()
    try:
        restarted.exhaust(name := new_name(), next(addresses))
        assert waits(lambda: restarted.wrong(name, next(addresses)), 2) == [1, 2]
        restarted.stop()
        restarted.start()
        assert waits(lambda: restarted.wrong(name, next(addresses)), 1) == [4]
    finally:
        restarted.stop()


# --- whose address ---------------------------------------------------------------------
def test_a_client_cannot_name_its_own_address(api: Api):
    """nginx sets the header, whatever the client sends."""
    name, other = new_name(), new_name()
    api.register(other)
    forged = [{"X-Forwarded-For": next(addresses), "X-Real-IP": next(addresses),
               "Forwarded": f"for={next(addresses)}"} for _ in range(NAME_MAX + 1)]
    answers = [api.http.post("/auth/login", json={"name": other, "password": "wrong one"},
                             headers=headers) for headers in forged]
    # All of them come from the address that registered the name.
    assert [answer.status_code for answer in answers] == [401] * NAME_MAX + [429]
    check_problem(api.http.post("/auth/login", json={"name": name, "password": "wrong one"}),
                  401)


def test_without_trusted_proxies_the_connection_counts(stack: Stack):
    stack.wait_ready()
    alone = Identities(stack, 1, IDENTITY_TRUSTED_PROXIES="none",
                       IDENTITY_GUESS_ADDRESS_MAX="5").start()
    try:
        for _ in range(5):
            check_problem(alone.wrong(new_name(), next(addresses)), 401)
        assert waits(lambda: alone.wrong(new_name(), next(addresses)), 1) == [1]
    finally:
        alone.stop()
