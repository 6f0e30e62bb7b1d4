"""Clients that send the body of a request in single bytes, and never end it."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from support.api import Api, Person
from support.chat import open_socket
from support.service import Service
from support.stack import Stack
from support.wait import until

pytestmark = pytest.mark.prove
CLIENTS = 300
PATHS = ("/auth/login", "/token", "/conversations")


class Trickle:
    """One request whose body has 16 KiB: at one byte for each turn it takes hours."""

    def __init__(self, url: str, path: str, token: str, kind: str):
        parts = urlsplit(url)
        self.tcp = socket.create_connection((parts.hostname, parts.port))
        self.tcp.sendall(
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: 16384\r\n\r\n".encode())
        self.tcp.setblocking(False)

    def cut(self) -> bool:
        """Sends another byte; True when the server has hung up."""
        try:
            self.tcp.send(b" ")
            return self.tcp.recv(4096) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


@contextmanager
def trickles(url: str, path: str, person: Person) -> Iterator[list[Trickle]]:
    kind = "application/x-www-form-urlencoded" if path == "/token" else "application/json"
    with ExitStack() as exits:
        clients = [Trickle(url, path, person.token, kind) for _ in range(CLIENTS)]
        for client in clients:
            exits.callback(client.tcp.close)
        yield clients


def assert_others_are_served(stack: Stack, api: Api, clients: list[Trickle]) -> None:
    for _ in range(5):
        for client in clients:
            client.cut()
        one, two = api.register(), api.register()
        api.login(one.name)
        assert api.ask("GET", "/conversations", one).status_code == 200
        with open_socket(stack.ws_url, one) as sender:
            sender.saved(sender.say(two.id, "meanwhile"))


@pytest.mark.parametrize("path", PATHS)
def test_bodies_that_trickle_stay_in_nginx(path: str, stack: Stack, api: Api, alice: Person):
    ports = [stack.port("IDENTITY_ADMIN_PORT"), stack.port("PERSISTENCE_ADMIN_PORT")]

    def descriptors(port: int) -> int:
        text = Service.ask_port(port, "/metrics").text
        return int(next(line for line in text.splitlines()
                        if line.startswith("process_open_fds")).split()[1])

    before = [descriptors(port) for port in ports]
    with trickles(stack.url, path, alice) as clients:
        assert_others_are_served(stack, api, clients)
        for port, count in zip(ports, before, strict=True):
            assert descriptors(port) < count + CLIENTS // 2
        # Without another byte: all are cut.
        for client in clients:
            client.tcp.setblocking(True)
            while client.tcp.recv(4096):
                pass


@pytest.mark.parametrize("path", PATHS)
def test_bodies_that_trickle_are_cut_by_the_services(path: str, stack: Stack, api: Api,
                                                     alice: Person):
    port = "PERSISTENCE_PORT" if path == "/conversations" else "IDENTITY_PORT"
    with trickles(f"http://127.0.0.1:{stack.port(port)}", path, alice) as clients:
        assert_others_are_served(stack, api, clients)
        until("all are cut", lambda: all([client.cut() for client in clients]))
