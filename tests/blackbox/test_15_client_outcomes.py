"""client-test says what became of every text: saved, refused with the reason, not sent, or not
answered. Its exit code is 0 only when all texts are saved.

Each way into the client (arguments, lines of stdin, the lines of a chat) gets each kind of input.
"""

import contextlib
import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support import conversations
from support.api import Api, Person, new_name
from support.apart import Apart
from support.stack import Stack
from support.terminal import Terminal
from support.wait import HANG_S, until

TEXT_MAX = 16 * 1024
TOO_LONG = "it is longer than 16384 bytes"
# More than wait at a time, even in one piece that is read from stdin; then the order shows.
MANY = ["y"] * 3000 + [f"{number} {'y' * 100}" for number in range(2000)]


def client(stack: Stack, command: str, person: Person, *words: str | bytes,
           url: str | None = None) -> list:
    return [str(stack.binary("client-test")), command, "--url", url or stack.url,
            "--name", person.name, "--password", person.password, *words]


def run(words: list, given: bytes | None = None, **options) -> subprocess.CompletedProcess:
    if given is None:
        options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(words, input=given, capture_output=True, timeout=HANG_S, **options)
    done.stdout, done.stderr = (text.decode("utf-8", "replace")
                                for text in (done.stdout, done.stderr))
    return done


@contextlib.contextmanager
def started(words: list, **options) -> Iterator[subprocess.Popen]:
    """A client that does not outlive its test."""
    with subprocess.Popen(words, **options) as child:
        try:
            yield child
        finally:
            child.kill()


def wait_saved(child: subprocess.Popen) -> None:
    """Reads the answers to the first text; `accepted` comes first when saving is slow."""
    while not (row := child.stdout.readline()).startswith("saved "):
        assert row.startswith("accepted "), row


def take_signals() -> None:
    """A shell may have made its children ignore SIGHUP (nohup) or SIGINT (&)."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def texts(api: Api, person: Person) -> list[str]:
    """The texts of all conversations of the person."""
    return [message["message"] for conversation in api.conversations(person)["conversations"]
            for message in api.all_messages(person, conversation["id"]) if "message" in message]


# --- lines ----------------------------------------------------------------------
@dataclass
class Lines:
    given: bytes
    saved: list[str]
    code: int = 0
    says: str = ""


LINES = {
    "one line": Lines(b"hi\n", ["hi"]),
    "no line break at the end": Lines(b"a\nb", ["a", "b"]),
    "CR LF": Lines(b"a\r\nb\r\n", ["a", "b"]),
    "a CR within a line": Lines(b"a\rb\n", ["a\rb"]),
    "blanks": Lines(b"  a \n", ["  a "]),
    "characters of several bytes": Lines("Grüße 👍🏽\n".encode(), ["Grüße 👍🏽"]),
    "control characters": Lines(b"\x01\x1b[31m\x7f\n", ["\x01\x1b[31m\x7f"]),
    "nothing": Lines(b"", []),
    "the longest text": Lines(b"y" * TEXT_MAX + b"\n", ["y" * TEXT_MAX]),
    "the longest text, CR LF": Lines(b"y" * TEXT_MAX + b"\r\n", ["y" * TEXT_MAX]),
    "an empty line": Lines(b"a\n\nb\n", ["a", "b"], 1, "is empty"),
    "a line that is too long": Lines(b"y" * (TEXT_MAX + 1) + b"\nb\n", ["b"], 1, TOO_LONG),
    "a line of a megabyte": Lines(b"y" * 2 ** 20 + b"\nb", ["b"], 1, "too long|" + TOO_LONG),
    "a long line without a break": Lines(b"y" * (TEXT_MAX + 1), [], 1, TOO_LONG),
    "a NUL": Lines(b"a\0b\nc\n", ["c"], 1, "it contains a NUL character"),
    "a NUL alone": Lines(b"\0", [], 1, "it contains a NUL character"),
    "no UTF-8": Lines(b"a\xff\nb\n", ["b"], 1, "it is not UTF-8"),
    "half a character": Lines(b"a\xc3", [], 1, "it is not UTF-8"),
    "a surrogate": Lines(b"\xed\xa0\x80\n", [], 1, "it is not UTF-8"),
    "a frame that is too long": Lines(b"\x01" * TEXT_MAX + b"\n", [], 1,
                                      "when its control characters are escaped"),
}


def check(done: subprocess.CompletedProcess, lines: Lines, api: Api, person: Person) -> None:
    said = done.stdout + done.stderr
    assert texts(api, person) == lines.saved
    assert done.returncode == lines.code, said
    assert any(why in said for why in lines.says.split("|")), said


@pytest.mark.parametrize("kind", LINES)
def test_send_says_what_became_of_each_line(stack: Stack, api: Api, alice: Person, bob: Person,
                                            kind: str):
    lines = LINES[kind]
    done = run(client(stack, "send", alice, "--to", bob.name), lines.given)
    check(done, lines, api, alice)
    assert sum(row.startswith("saved ") for row in done.stdout.splitlines()) == len(lines.saved)


@pytest.mark.parametrize("kind", LINES)
def test_chat_says_what_became_of_each_line_of_a_pipe(stack: Stack, api: Api, alice: Person,
                                                      bob: Person, kind: str):
    lines = LINES[kind]
    done = run(client(stack, "chat", alice, "--to", bob.name), lines.given)
    check(done, lines, api, alice)
    assert sum(row.endswith(" ✓") for row in done.stdout.splitlines()) == len(lines.saved)


@pytest.mark.parametrize("kind", LINES)
def test_send_says_what_became_of_a_text_in_the_arguments(stack: Stack, api: Api, alice: Person,
                                                          bob: Person, kind: str):
    """One text, with its line breaks; no argument can carry a NUL, or a megabyte."""
    given = LINES[kind].given
    if b"\0" in given or len(given) > 100_000:
        given = given.replace(b"\0", b"0")[:100_000]
    done = run(client(stack, "send", alice, "--to", bob.name, given))
    fits = 0 < len(given) <= TEXT_MAX and given.count(b"\x01") < 10_000
    try:
        saved = [given.decode()] if fits else []
    except UnicodeDecodeError:
        saved = []
    assert texts(api, alice) == saved
    assert done.returncode == (0 if saved else 1), done.stderr
    assert ("saved " if saved else "not sent: ") in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["send", "chat"])
def test_lines_to_a_group_are_sent_too(stack: Stack, api: Api, alice: Person, bob: Person,
                                       command: str):
    group = conversations.make(api, alice, bob)
    done = run(client(stack, command, alice, "--in", str(group.id)),
               b"a\n" + b"y" * (TEXT_MAX + 1) + b"\nb")
    assert texts(api, bob) == ["a", "b"]
    assert done.returncode == 1 and TOO_LONG in done.stdout + done.stderr


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.parametrize("command", ["send", "chat"])
def test_many_lines_are_all_sent_in_order(stack: Stack, api: Api, alice: Person, bob: Person,
                                          command: str):
    done = run(client(stack, command, alice, "--to", bob.name), "\n".join(MANY).encode())
    assert done.returncode == 0, done.stderr[-500:]
    assert texts(api, bob) == MANY


# --- chat -------------------------------------------------------------------------
CHATS = {
    # lines typed before the recipient is looked up
    "typed early": Lines(b"typed early\n/quit\n", ["typed early"]),
    "quit alone": Lines(b"/quit\n", []),
    "quit ends the input": Lines(b"a\n/quit\nb\n", ["a"]),
    "a reply that is too long": Lines(b"a\n/reply 1 " + b"y" * (TEXT_MAX + 1) + b"\n", ["a"], 1,
                                      TOO_LONG),
    "an edit of nothing": Lines(b"/edit 1 b\n", [], 1, "nothing was said yet"),
    "no such command": Lines(b"/frobnicate\na\n", ["a"], 1, "no such command"),
    "an argument is missing": Lines(b"/reply\n", [], 1, "it is /reply N TEXT"),
}


@pytest.mark.parametrize("kind", CHATS)
def test_a_chat_does_each_line_of_a_pipe_or_says_why_not(stack: Stack, api: Api, alice: Person,
                                                         bob: Person, kind: str):
    done = run(client(stack, "chat", alice, "--to", bob.name), CHATS[kind].given)
    check(done, CHATS[kind], api, alice)


def test_a_message_that_the_server_refuses_fails_the_chat(stack: Stack, api: Api, alice: Person,
                                                          bob: Person):
    run(client(stack, "send", alice, "--to", bob.name, "a")).check_returncode()
    done = run(client(stack, "chat", alice, "--to", bob.name), b"b\n/reply 77 c\nd\n")
    assert texts(api, alice) == ["a", "b", "d"]
    assert done.returncode == 1 and "not taken" in done.stdout


@pytest.mark.parametrize("count", [1, 3, 5000])
def test_lines_for_a_user_who_does_not_exist_are_named(stack: Stack, alice: Person, count: int):
    done = run(client(stack, "chat", alice, "--to", new_name()), b"hi\n" * count)
    assert done.returncode == 1
    assert f"not sent: {min(count, 1000)} lines kept for" in done.stdout
    assert ("not read to its end" in done.stdout) == (count > 1000)


def test_a_chat_at_a_terminal_sends_what_was_typed_before_it_ends(stack: Stack, api: Api,
                                                                  alice: Person, bob: Person):
    with Terminal(client(stack, "chat", alice, "--to", bob.name)) as terminal:
        terminal.type("typed early\n/quit\n")
        assert terminal.finish(HANG_S) == 0, terminal.written
    assert texts(api, alice) == ["typed early"]


# --- group and channel --------------------------------------------------------------
@pytest.mark.parametrize("kind", ["group", "channel"])
@pytest.mark.parametrize("title,code", [
    ("Walks", 0), ("", 1), ("y" * 65, 1), ("y" * 20_000, 1), (b"a\xff", 1), ("a\nb", 1),
    ("\x1b[31m", 1)])
def test_a_title_is_accepted_or_refused_with_the_reason(stack: Stack, api: Api, alice: Person,
                                                        kind: str, title: str | bytes, code: int):
    if code == 0:
        title = f"{title} {alice.name}"
    done = run(client(stack, kind, alice, "create", "--title", title))
    made = api.conversations(alice)["conversations"]
    assert done.returncode == code, done.stderr
    assert len(made) == (code == 0)
    assert done.stdout.startswith("created  ") if code == 0 else \
        done.stderr.startswith("client-test: "), done.stderr


def test_a_request_that_is_too_long_is_not_sent_in_part(stack: Stack, api: Api, alice: Person,
                                                        bob: Person):
    group = conversations.make(api, alice)
    words = ("invite", "--in", str(group.id), *[bob.name] * 65)
    done = run(client(stack, "group", alice, *words))
    assert done.returncode == 1 and "too many" in done.stderr, done.stderr
    assert len(group.members(alice)) == 1


@pytest.mark.parametrize("words", [
    ("send", "--to", "{long}", "hi"), ("send", "--in", "{long}", "hi"),
    ("history", "--with", "{long}"), ("history", "--in", "{long}"),
    ("channel", "find", "{long}"), ("channel", "join", "--in", "{long}"),
    ("group", "create", "--title", "a", "{long}")])
def test_a_name_that_is_too_long_finds_nothing(stack: Stack, api: Api, alice: Person,
                                               words: tuple):
    command, *rest = (word.format(long="ü" * 5000) for word in words)
    done = run(client(stack, command, alice, *rest))
    assert done.returncode == 1 and len(done.stderr.splitlines()) <= 2, done.stderr
    assert texts(api, alice) == []


# --- stdin and stdout that do not work ------------------------------------------------
@pytest.mark.parametrize("command", ["send", "chat"])
def test_a_closed_stdin_is_named(stack: Stack, alice: Person, bob: Person, command: str):
    done = run(client(stack, command, alice, "--to", bob.name), preexec_fn=lambda: os.close(0))
    assert done.returncode == 1
    assert os.strerror(errno.EBADF) in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["send", "chat"])
def test_a_folder_as_stdin_is_named(stack: Stack, alice: Person, bob: Person, command: str):
    folder = os.open("/", os.O_RDONLY)
    done = run(client(stack, command, alice, "--to", bob.name), stdin=folder)
    os.close(folder)
    assert done.returncode == 1
    assert os.strerror(errno.EISDIR) in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["send", "chat"])
def test_a_nonblocking_stdin_is_read_to_its_end(stack: Stack, api: Api, alice: Person,
                                                bob: Person, command: str):
    theirs, ours = os.pipe()
    os.set_blocking(theirs, False)
    with started(client(stack, command, alice, "--to", bob.name), stdin=theirs,
                          stdout=subprocess.PIPE) as child:
        os.close(theirs)
        for text in ("a", "b"):  # the first read finds nothing to read
            os.write(ours, f"{text}\n".encode())
            until(f"{text} is saved", lambda: text in texts(api, alice))
        os.close(ours)
        assert child.wait(timeout=HANG_S) == 0


@pytest.mark.parametrize("command", ["send", "chat"])
def test_a_full_stdout_ends_the_client(stack: Stack, alice: Person, bob: Person, command: str):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(client(stack, command, alice, "--to", bob.name), stdout=full,
                              input=b"a\n" * 5000, stderr=subprocess.PIPE, timeout=HANG_S)
    assert done.returncode == 1
    assert b"stdout cannot be written" in done.stderr


@pytest.mark.parametrize("command", ["send", "chat", "listen"])
def test_a_reader_of_stdout_that_goes_away_ends_the_client(stack: Stack, alice: Person,
                                                           bob: Person, command: str):
    run(client(stack, "send", alice, "--to", bob.name, "first")).check_returncode()
    words = client(stack, command, alice) + ([] if command == "listen" else ["--to", bob.name])
    with started(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, bufsize=0) as child:
        child.stdin.write(b"a\n")
        assert child.stdout.readline()
        child.stdout.close()
        run(client(stack, "send", bob, "--to", alice.name, "x")).check_returncode()
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            child.stdin.write(b"b\n")
        assert child.wait(timeout=HANG_S) == 1
        assert b"stdout cannot be written" in child.stderr.read()


def test_a_closed_stdout_is_named(stack: Stack, api: Api, alice: Person, bob: Person):
    """Its number must not become that of a socket, which would get what is printed."""
    done = run(client(stack, "send", alice, "--to", bob.name, "a"),
               preexec_fn=lambda: os.close(1))
    assert done.returncode == 1 and "stdout cannot be written" in done.stderr
    assert texts(api, alice) == ["a"]


@pytest.mark.parametrize("words", [("send", "--to", "{nobody}", "hi"),
                                   ("send", "--in", "{nobody}", "hi"),
                                   ("chat", "--in", "{nobody}")])
def test_a_recipient_who_does_not_exist_is_named(stack: Stack, alice: Person, words: tuple):
    command, *rest = (word.format(nobody=new_name()) for word in words)
    done = run(client(stack, command, alice, *rest), b"hi\n")
    assert done.returncode == 1 and done.stdout + done.stderr


@pytest.mark.parametrize("command", ["send", "chat"])
def test_a_wrong_password_is_named(stack: Stack, alice: Person, bob: Person, command: str):
    alice.password = "wrong horse battery"
    done = run(client(stack, command, alice, "--to", bob.name), b"hi\n")
    assert done.returncode == 1 and "sign in" in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["accept", "listen", "send", "chat", "group", "channel",
                                     "history", "login", "logout", "devices", "profile"])
def test_help_says_what_the_exit_code_means(stack: Stack, command: str):
    done = run([str(stack.binary("client-test")), command, "--help"])
    assert done.returncode == 0 and "Exit code: 0" in done.stdout


# --- messages that are not settled ----------------------------------------------------
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_client_with_what_is_not_settled(stack: Stack, api: Api, alice: Person,
                                                           bob: Person,
                                                           number: signal.Signals):
    """persistence-service is stopped: the gateway accepts, and no message is saved."""
    with Apart(stack) as parts, \
            started(client(stack, "send", alice, "--to", bob.name, url=parts.nginx_url()),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True, preexec_fn=take_signals) as child:
        child.stdin.write("first\n")
        child.stdin.flush()
        wait_saved(child)
        parts.persistence.stop()
        child.stdin.write("a\nb\n")
        child.stdin.flush()
        for _ in range(2):
            assert child.stdout.readline().startswith("accepted ")
        child.send_signal(number)
        said, errors = child.communicate(timeout=HANG_S)
        parts.persistence.start()
        until("both are saved", lambda: texts(api, alice) == ["first", "a", "b"])
    assert child.returncode == 128 + number
    rows = [row.split() for row in said.splitlines()]
    assert [(row[0], row[3], row[4]) for row in rows] == \
        [("unknown", "2", "accepted,"), ("unknown", "3", "accepted,")]
    assert "1 saved, 0 refused, 0 not sent, 2 without a final answer" in errors


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.parametrize("command", ["send", "chat"])
def test_messages_survive_a_gateway_that_dies(stack: Stack, api: Api, alice: Person, bob: Person,
                                              command: str):
    """More lines than fit into the pipe: the client still sends when the gateway dies."""
    with Apart(stack) as parts, \
            started(client(stack, command, alice, "--to", bob.name, url=parts.nginx_url()),
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        child.stdin.write("\n".join(MANY[:4000]).encode() + b"\n")
        child.stdin.flush()
        parts.gateway.kill()
        parts.gateway.start()
        child.stdin.write("\n".join(MANY[4000:]).encode())
        child.stdin.close()
        assert child.wait(timeout=HANG_S) == 0
    assert texts(api, bob) == MANY


def test_a_time_limit_names_what_was_not_sent(stack: Stack, alice: Person, bob: Person):
    with Apart(stack) as parts, \
            started(client(stack, "send", alice, "--to", bob.name, "--timeout", "3",
                           url=parts.nginx_url()), stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        child.stdin.write("a\n")
        child.stdin.flush()
        wait_saved(child)
        parts.gateway.stop()
        child.stdin.write("b\n")
        child.stdin.close()
        assert child.wait(timeout=HANG_S) == 1
        assert child.stdout.read().startswith("unsent ")
        assert "1 saved, 0 refused, 0 not sent, 1 without a final answer" in child.stderr.read()
