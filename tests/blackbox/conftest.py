"""The stack that all tests of a session share, and people to chat with."""

from collections.abc import Callable, Iterator

import pytest

from support import reports
from support.api import Api, Person
from support.chat import Socket, open_socket
from support.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    reports.start()
    stack = Stack("blackbox")
    try:
        yield stack.up()
    finally:
        stack.down()
    reports.check(stack.build)


@pytest.fixture(scope="session")
def crowd_stack() -> Iterator[Stack]:
    """Another one, in which four in a conversation are a crowd: they have a room."""
    stack = Stack("crowd", {"FANOUT_LIST_MAX": "3"})
    try:
        yield stack.up()
    finally:
        stack.down()


@pytest.fixture
def crowd_api(crowd_stack: Stack) -> Iterator[Api]:
    crowd_stack.wait_ready()
    api = Api(crowd_stack.url)
    yield api
    api.close()


@pytest.fixture(scope="session")
def shared_api(stack: Stack) -> Iterator[Api]:
    api = Api(stack.url)
    yield api
    api.close()


@pytest.fixture
def api(shared_api: Api, stack: Stack) -> Api:
    """The stack is whole when a test begins, whatever the last one did to it."""
    stack.wait_ready()
    return shared_api


@pytest.fixture
def alice(api: Api) -> Person:
    return api.register()


@pytest.fixture
def bob(api: Api) -> Person:
    return api.register()


def openers(stack: Stack) -> Iterator[Callable[..., Socket]]:
    opened: list[Socket] = []

    def open_for(person: Person, url: str | None = None, **options) -> Socket:
        opened.append(open_socket(url or stack.ws_url, person, **options))
        return opened[-1]

    yield open_for
    for socket in opened:
        socket.close()


@pytest.fixture
def enter(stack: Stack) -> Iterator[Callable[..., Socket]]:
    """Opens live sockets, and closes them when the test is over."""
    yield from openers(stack)


@pytest.fixture
def crowd_enter(crowd_stack: Stack) -> Iterator[Callable[..., Socket]]:
    """The same on the stack of crowds."""
    yield from openers(crowd_stack)
