"""Both ends of a link observe each fault of the link."""

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from nemesis.links import Links, together
from support.stack import free_port
from support.wait import until

WAIT_S = 60  # a bound on hanging
SILENT_S = 0.3  # nothing arrives for so long


class Echo:
    """A server that echoes bytes and closes when its client closes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.taken: list[socket.socket] = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            try:
                taken, _ = self.listener.accept()
            except OSError:
                return
            self.taken.append(taken)
            threading.Thread(target=self.echo_bytes, args=(taken,), daemon=True).start()

    @staticmethod
    def echo_bytes(taken: socket.socket) -> None:
        with taken:
            try:
                while data := taken.recv(65536):
                    taken.sendall(data)
                taken.shutdown(socket.SHUT_WR)
            except OSError:
                pass


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.listener.close()


@pytest.fixture
def links() -> Iterator[Links]:
    links = Links()
    yield links
    links.close()


@pytest.fixture
def port(echo: Echo, links: Links) -> int:
    port = free_port()
    links.open({"link": (port, echo.port)})
    return port


def connect(port: int, timeout_s: float = WAIT_S) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout_s)


def receive(end: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = end.recv(65536)
        if not piece:
            break
        data += piece
    return data


def is_reset(end: socket.socket) -> bool:
    try:
        return end.recv(1) is None
    except ConnectionResetError:
        return True


def is_reset_at_once(port: int) -> bool:
    """Whether a new connection is reset. The reset may arrive before connect() has returned."""
    try:
        with connect(port) as end:
            return is_reset(end)
    except ConnectionResetError:
        return True


def test_a_healthy_link_forwards_all_bytes_and_both_ends_of_file(port: int):
    text = bytes(range(256)) * 4096
    with connect(port) as end:
        sender = threading.Thread(target=lambda: (end.sendall(text),
                                                  end.shutdown(socket.SHUT_WR)))
        sender.start()
        assert receive(end, len(text)) == text
        sender.join()
        assert end.recv(1) == b""


def test_a_cut_link_resets_open_and_new_connections(port: int, links: Links):
    with connect(port) as end:
        end.sendall(b"a")
        assert end.recv(1) == b"a"
        links.put("link", "one", cut=True)
        assert is_reset(end)
        assert is_reset_at_once(port)
    links.take("link", "one")
    with connect(port) as end:
        end.sendall(b"b")
        assert end.recv(1) == b"b"


def test_a_black_hole_passes_nothing_and_later_everything(port: int, links: Links):
    with connect(port) as old:
        old.sendall(b"a")
        assert old.recv(1) == b"a"
        links.put("link", "one", blackhole=True)
        with connect(port) as new:
            for end in (old, new):
                end.settimeout(SILENT_S)
                end.sendall(b"bc")
                with pytest.raises(TimeoutError):
                    end.recv(1)
            links.take("link", "one")
            for end in (old, new):
                end.settimeout(WAIT_S)
                assert receive(end, 2) == b"bc"


def test_delay_counts_each_way_and_keeps_the_order(port: int, links: Links):
    links.put("link", "one", delay_ms=100, jitter_ms=50)
    text = b"".join(struct.pack(">I", number) for number in range(1000))
    with connect(port) as end:
        began = time.monotonic()
        for start in range(0, len(text), 40):
            end.sendall(text[start:start + 40])
        assert receive(end, len(text)) == text
        assert time.monotonic() - began >= 0.2


def test_a_narrow_link_is_slow_and_stops_reading(port: int, links: Links):
    links.put("link", "one", kib_s=64)
    with connect(port) as end:
        began = time.monotonic()
        end.sendall(bytes(16 * 1024))
        assert len(receive(end, 16 * 1024)) == 16 * 1024
        assert time.monotonic() - began >= 0.25
        links.put("link", "one", kib_s=1)
        end.setblocking(False)
        taken = 0

        def full() -> bool:
            nonlocal taken
            try:
                taken += end.send(bytes(65536))
            except BlockingIOError:
                return True
            return False
        until("the sender is held back", full, WAIT_S)
        assert taken < 64 * 1024 * 1024


def test_sliced_data_arrives_complete(port: int, links: Links):
    links.put("link", "one", slice_bytes=3)
    with connect(port) as end:
        end.sendall(b"0123456789")
        assert receive(end, 10) == b"0123456789"


def test_a_connection_is_reset_after_so_many_bytes(port: int, links: Links):
    links.put("link", "one", close_after=100)
    with connect(port) as end:
        end.sendall(bytes(60))
        assert len(receive(end, 60)) == 60
        end.sendall(bytes(60))
        assert is_reset(end) or is_reset(end)


def test_a_server_that_is_down_resets(links: Links):
    port = free_port()
    links.open({"link": (port, free_port())})
    assert is_reset_at_once(port)


def test_a_server_that_is_killed_ends_the_connection_of_its_client(port: int, echo: Echo):
    with connect(port) as end:
        end.sendall(b"a")
        assert end.recv(1) == b"a"
        echo.taken[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        echo.taken[0].shutdown(socket.SHUT_RDWR)
        try:
            assert end.recv(1) == b""
        except ConnectionResetError:
            pass  # the client learns of the death by the one or the other


def test_two_faults_on_a_link_add_up_and_end_separately(port: int, links: Links):
    assert together([{"delay_ms": 5, "kib_s": 9}, {"delay_ms": 7, "kib_s": 3}]) == {
        "delay_ms": 12, "kib_s": 3}
    links.put("link", "one", cut=True)
    links.put("link", "two", delay_ms=1)
    links.take("link", "one")
    with connect(port) as end:
        end.sendall(b"a")
        assert end.recv(1) == b"a"


def test_the_proxy_refuses_invalid_orders(links: Links, port: int):
    with pytest.raises(RuntimeError):
        links.ask({"link": "unknown", "toxics": {}})
    with pytest.raises(RuntimeError):
        links.ask({"link": "link", "toxics": {"poison": 1}})
    assert links.alive


def test_a_link_that_refuses_resets_and_does_not_listen(port: int, links: Links):
    with connect(port) as end:
        end.sendall(b"a")
        assert end.recv(1) == b"a"
        links.put("link", "one", refuse=True)
        assert is_reset(end)
        with pytest.raises(ConnectionRefusedError):
            connect(port)
    links.take("link", "one")
    with connect(port) as end:
        end.sendall(b"b")
        assert end.recv(1) == b"b"


def test_a_deaf_link_opens_no_connection(port: int, links: Links):
    links.put("link", "one", deaf=True)
    with pytest.raises(TimeoutError):
        connect(port, SILENT_S)
    links.take("link", "one")
    with connect(port) as end:
        end.sendall(b"b")
        assert end.recv(1) == b"b"


def test_an_impostor_speaks_in_place_of_the_target(port: int, echo: Echo, links: Links):
    with connect(port) as open_before:
        open_before.sendall(b"a")
        assert open_before.recv(1) == b"a"
        links.put("link", "one", says="hello")
        assert is_reset(open_before)
    echo.taken.clear()
    with connect(port) as end:
        assert receive(end, 5) == b"hello"
    links.take("link", "one")
    links.put("link", "one", answers="no")
    with connect(port) as end:
        end.settimeout(SILENT_S)
        with pytest.raises(TimeoutError):
            end.recv(1)
        end.settimeout(WAIT_S)
        end.sendall(b"a")
        assert receive(end, 2) == b"no"
        links.take("link", "one")
        assert is_reset(end)
    assert not echo.taken
