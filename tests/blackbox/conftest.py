"""The stack that all tests of a session share, and people to chat with."""

from collections.abc import Callable, Iterator

import pytest

from support.api import Api, Person
from support.chat import Socket, open_socket
from support.stack import Stack
from support.with_stack import test_stack


# Tests of these files share a fixture that costs much, so one worker runs them all.
ONE_WORKER = ("test_57_rooms.py", "test_58_migration.py", "test_62_rooms.py")


def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """For pytest-xdist: any worker takes any test, but for the files above."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0].split("/")[-1]
            return file if file in ONE_WORKER else nodeid

    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For pytest-xdist: what waits long begins first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.get_closest_marker("slow"))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with test_stack("blackbox") as stack:
        yield stack


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
