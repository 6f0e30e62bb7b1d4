"""Fixtures: the stack that all tests of a session share, users, and open sockets."""

from collections.abc import Callable, Iterator

import pytest

from support import turns
from support.api import Api, Person
from support.chat import Socket, open_socket
from support.stack import LOGS, Stack
from support.with_stack import test_stack


# The tests of such a file share a costly fixture, or what one counts the others hold: one worker
# runs all of them.
ONE_WORKER = ("test_57_rooms.py", "test_58_migration.py", "test_62_rooms.py",
              "test_65_one_key.py", "test_68_entry_order.py", "test_86_slow_bodies.py")


def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """For pytest-xdist: any worker takes any test, except those of the files above."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0].split("/")[-1]
            return file if file in ONE_WORKER else nodeid

    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For pytest-xdist: slow tests start first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.get_closest_marker("slow"))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with test_stack("blackbox") as stack:
        yield stack


@pytest.fixture(scope="session")
def room_stack() -> Iterator[Stack]:
    """A second stack where a conversation of four members is large and has a room."""
    # On a busy machine the answer about a user's rooms takes longer than a second.
    stack = Stack("crowd", {"FANOUT_LIST_MAX": "3", "WEBSOCKET_WELCOME_WAIT_MS": "30000"})
    try:
        yield stack.up()
    finally:
        stack.down()
    turns.check_stack(LOGS / f"stack-{stack.name}")


@pytest.fixture
def room_api(room_stack: Stack) -> Iterator[Api]:
    room_stack.wait_ready()
    api = Api(room_stack.url)
    yield api
    api.close()


@pytest.fixture(scope="session")
def shared_api(stack: Stack) -> Iterator[Api]:
    api = Api(stack.url)
    yield api
    api.close()


@pytest.fixture
def api(shared_api: Api, stack: Stack) -> Api:
    """All services are ready when a test begins, whatever the previous test did."""
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
    """Opens sockets and closes them after the test."""
    yield from openers(stack)


@pytest.fixture
def room_enter(room_stack: Stack) -> Iterator[Callable[..., Socket]]:
    """The same on the second stack."""
    yield from openers(room_stack)
