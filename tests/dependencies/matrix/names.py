"""names - a small DNS server for *.parley.test, on port 53 of a loopback address of its own.

`answers` maps a name to its address, and `delay_s` is the time that an answer takes. Services
that start with `command()` ask this server and no other: they get a mount namespace with an
/etc/resolv.conf and an /etc/nsswitch.conf of their own. Both need root.
"""

import socket
import struct
import threading
from pathlib import Path

A, IN = 1, 1
NO_SUCH_NAME, SERVER_FAILED = 3, 2
# Longer than any delay here: the resolver of the C library waits for the answer.
RESOLV_CONF = "nameserver {address}\noptions timeout:20 attempts:2\n"


class Names:
    def __init__(self, folder: Path, base_port: int):
        self.address = f"127.53.{base_port // 256}.{base_port % 256}"
        self.answers: dict[str, str] = {}
        self.delay_s = 0.0
        self.fails = False
        self.asked = 0
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resolv.conf").write_text(RESOLV_CONF.format(address=self.address))
        (folder / "nsswitch.conf").write_text("hosts: files dns\n")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        self.thread = threading.Thread(target=self.serve, name="names", daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.socket.close()

    def serve(self) -> None:
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            self.asked += 1
            later = threading.Timer(self.delay_s, self.answer, (query, client))
            later.daemon = True
            later.start()

    def answer(self, query: bytes, client: tuple) -> None:
        try:
            self.socket.sendto(self.reply(query), client)
        except OSError:  # closed meanwhile
            pass

    def reply(self, query: bytes) -> bytes:
        """RFC 1035: the question, and one A record if there is one."""
        number, = struct.unpack(">H", query[:2])
        labels, at = [], 12
        while size := query[at]:
            labels.append(query[at + 1:at + 1 + size].decode())
            at += 1 + size
        kind, _ = struct.unpack(">HH", query[at + 1:at + 5])
        question = query[12:at + 5]
        address = self.answers.get(".".join(labels))
        code = SERVER_FAILED if self.fails else 0 if address else NO_SUCH_NAME
        found = kind == A and not code
        head = struct.pack(">HHHHHH", number, 0x8180 | code, 1, int(found), 0, 0)
        record = struct.pack(">HHHIH", 0xC00C, A, IN, 0, 4) + socket.inet_aton(address) \
            if found else b""
        return head + question + record

    def command(self, program: str) -> list[str]:
        """The words that run a program with this name server. The pid stays the same."""
        binds = " && ".join(f"mount --bind {self.folder}/{name} /etc/{name}"
                            for name in ("resolv.conf", "nsswitch.conf"))
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                f'{binds} && exec "$0"', program]
