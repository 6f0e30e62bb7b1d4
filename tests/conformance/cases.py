"""cases - Autobahn's base list of server cases, under its own numbers.

Sections 1 to 7, 9 and 10; 8 is empty and 12 to 13 are about compression, which
the gateway never negotiates. `differs` marks the cases that Parley must answer otherwise.
"""

from support.raw import BINARY, TEXT, frame

from steps import (BAD_DATA, NORMAL, PROTOCOL_ERROR, TOO_BIG, UNSUPPORTED, Alive, Case, Echo, Pong,
                   Raw, Send, Settled, binary, close, echoed, failed, fragments, more, ping, pong,
                   text)
from utf8_vectors import GROUPS, KOSME, good

HELLO = b"Hello, world!"
SHORT_BINARY = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
CAP = 65536
BINARY_REFUSED = "a binary message is refused with 1003: only text is taken"
OVER_CAP = "more than 64 KiB in one message is refused with 1009"


def framing() -> list[Case]:
    """1: messages with every length form."""
    lengths = [(0, 0), (125, 0), (126, 0), (127, 0), (128, 0), (65535, 0), (65536, 0),
               (65536, 997)]
    cases = [echoed(f"1.1.{at}", f"text of {length} bytes" + f", {chop} a write" * bool(chop),
                    text(b"*" * length, chop=chop))
             for at, (length, chop) in enumerate(lengths, 1)]
    return cases + [
        failed(f"1.2.{at}", f"binary of {length} bytes" + f", {chop} a write" * bool(chop),
               binary(b"\xfe" * length, chop=chop), code=UNSUPPORTED, differs=BINARY_REFUSED)
        for at, (length, chop) in enumerate(lengths, 1)]


def pings() -> list[Case]:
    """2: pings and pongs."""
    ten = [b"payload-%d" % number for number in range(10)]
    good_pings = [("2.1", "an empty ping", b"", 0), ("2.2", "a ping with text", HELLO, 0),
                  ("2.3", "a ping that is not UTF-8", SHORT_BINARY, 0),
                  ("2.4", "a ping of 125 bytes", b"\xfe" * 125, 0),
                  ("2.6", "a ping of 125 bytes, one a write", b"\xfe" * 125, 1)]
    unasked = b"unsolicited pong payload"
    return [
        *(echoed(number, what, ping(payload, chop=chop), replies=[Pong(payload)])
          for number, what, payload, chop in good_pings),
        failed("2.5", "a ping of 126 bytes", ping(b"\xfe" * 126)),
        echoed("2.7", "an empty unsolicited pong", pong(), close(NORMAL), replies=[]),
        echoed("2.8", "an unsolicited pong", pong(unasked), close(NORMAL), replies=[]),
        echoed("2.9", "an unsolicited pong, then a ping", pong(unasked),
               ping(b"ping payload"), replies=[Pong(b"ping payload")]),
        echoed("2.10", "ten pings", *map(ping, ten), replies=map(Pong, ten)),
        echoed("2.11", "ten pings, a byte a write", *(ping(payload, chop=1) for payload in ten),
               replies=map(Pong, ten)),
    ]


def reserved_bits() -> list[Case]:
    """3: reserved bits set without a negotiated extension."""
    def second(number: str, what: str, rsv: int, **how) -> Case:
        return failed(number, what, text(HELLO, **how), text(HELLO, rsv=rsv, **how), ping(**how),
                      replies=(Echo(),), lenient=())

    return [
        failed("3.1", "RSV 1 in a text", text(HELLO, rsv=1)),
        second("3.2", "RSV 2 in the second text", 2),
        second("3.3", "RSV 3 in the second text, a frame a write", 3, alone=True),
        second("3.4", "RSV 4 in the second text, a byte a write", 4, chop=1),
        failed("3.5", "RSV 5 in a binary", binary(SHORT_BINARY, rsv=5)),
        # Autobahn calls it a ping and sends this.
        failed("3.6", "RSV 6 in a binary", binary(HELLO, rsv=6)),
        failed("3.7", "RSV 7 in a close", close(rsv=7)),
    ]


def opcodes() -> list[Case]:
    """4: reserved opcodes."""
    def group(section: str, first: int) -> list[Case]:
        def second(number: int, payload: bytes, **how) -> Case:
            op = first + number - 1
            return failed(f"{section}.{number}", f"opcode {op} after a text", text(HELLO, **how),
                          Send(op, payload, **how), ping(**how), replies=(Echo(),), lenient=())
        return [
            failed(f"{section}.1", f"opcode {first}, empty", Send(first)),
            failed(f"{section}.2", f"opcode {first + 1} with bytes",
                   Send(first + 1, b"reserved opcode payload")),
            second(3, b""), second(4, HELLO), second(5, HELLO, chop=1),
        ]
    return group("4.1", 3) + group("4.2", 11)


def fragmentation() -> list[Case]:
    """5: messages in fragments."""
    one, two, three, four, five = (b"fragment%d" % number for number in range(1, 6))
    stray, asked = b"non-continuation payload", b"ping payload"
    chops = [({}, ""), ({"alone": True}, ", a frame a write"), ({"chop": 1}, ", a byte a write")]
    cases = [
        failed("5.1", "a ping in two fragments", ping(one, fin=False), more(two)),
        failed("5.2", "a pong in two fragments", pong(one, fin=False), more(two)),
    ]
    for at, (how, chop) in enumerate(chops):
        cases += [
            echoed(f"5.{3 + at}", "two fragments" + chop, text(one, fin=False, **how),
                   more(two, **how)),
            echoed(f"5.{6 + at}", "a ping between two fragments" + chop,
                   text(one, fin=False, **how), ping(asked, **how), more(two, **how),
                   replies=[Pong(asked), Echo()]),
            failed(f"5.{9 + at}", "a last fragment of nothing" + chop, more(stray, **how),
                   text(HELLO, **how)),
            failed(f"5.{12 + at}", "a fragment of nothing" + chop, more(stray, fin=False, **how),
                   text(HELLO, **how)),
        ]
    asks = [b"pongme 1!", b"pongme 2!"]

    def long_talk(number: str, what: str, **how) -> Case:
        return echoed(number, what, text(one, fin=False, **how), more(two, fin=False, **how),
                      ping(asks[0], **how), Settled(), more(three, fin=False, **how),
                      more(four, fin=False, **how), ping(asks[1], **how), more(five, **how),
                      replies=[Pong(asks[0]), Pong(asks[1]), Echo()])

    def twice(fin: bool) -> list:
        return [more(one, fin=fin), text(two, fin=False), more(three)] * 2

    return cases + [
        failed("5.15", "two fragments, then one of nothing", text(one, fin=False), more(two),
               more(three, fin=False), text(four), replies=(Echo(),), lenient=()),
        failed("5.16", "a fragment of nothing, then a message, twice", *twice(False)),
        failed("5.17", "a last fragment of nothing, then a message, twice", *twice(True)),
        failed("5.18", "two fragments, both say text", text(one, fin=False), text(two)),
        long_talk("5.19", "five fragments, two pings in between, the first answered at once"),
        long_talk("5.20", "the same, a frame a write", alone=True),
    ]


def utf8() -> list[Case]:
    """6: text is UTF-8; invalid text is refused at once."""
    hello = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    half = "Hello-µ@ßöä".encode()
    edited = b"edited"
    surrogate, beyond = KOSME + b"\xed\xa0\x80" + edited, KOSME + b"\xf4\x90\x80\x80" + edited
    parts = [(KOSME, beyond[11:15], edited), (beyond[:12], beyond[12:13], beyond[13:])]
    whole = frame(TEXT, beyond)
    cases = [
        echoed("6.1.1", "an empty text", text(b"")),
        echoed("6.1.2", "three empty fragments", text(b"", fin=False), more(b"", fin=False),
               more(b"")),
        echoed("6.1.3", "empty fragments around another", text(b"", fin=False),
               more(b"middle frame payload", fin=False), more(b"")),
        echoed("6.2.1", "good text", text(hello)),
        echoed("6.2.2", "good text, cut between characters", text(half, fin=False),
               more(hello.removeprefix(half))),
        echoed("6.2.3", "good text, a byte a fragment", *fragments(hello, 1)),
        echoed("6.2.4", "good Greek, a byte a fragment", *fragments(KOSME, 1)),
        failed("6.3.1", "bad text", text(surrogate), code=BAD_DATA),
        failed("6.3.2", "bad text, a byte a fragment", *fragments(surrogate, 1), code=BAD_DATA),
    ]
    for at, (first, bad, rest) in enumerate(parts):
        what = ("a whole bad character", "up to the first bad byte")[at]
        good_end = len(whole) - len(bad + rest)
        bad_end = len(whole) - len(rest)
        cases += [
            failed(f"6.4.{1 + at}", f"{what} in the second of three fragments",
                   text(first, fin=False), ping(b"A"), Settled(), more(bad, fin=False),
                   fail_fast=(more(rest),), replies=(Pong(b"A"),), code=BAD_DATA),
            failed(f"6.4.{3 + at}", f"{what} in the second of three parts of a frame",
                   Raw(whole[:good_end]), Alive(), Raw(whole[good_end:bad_end]),
                   fail_fast=(Raw(whole[bad_end:]),), code=BAD_DATA),
        ]
    for group, (what, sequences) in enumerate(GROUPS, 5):
        for at, sequence in enumerate(sequences, 1):
            number, said = f"6.{group}.{at}", f"{what}: {sequence.hex()}"
            cases.append(echoed(number, said, text(sequence)) if good(sequence) else
                         failed(number, said, text(sequence), code=BAD_DATA))
    return cases


def closing() -> list[Case]:
    """7: the close handshake. All but 7.1.1 send the close themselves."""
    def closed(number: str, what: str, *steps, codes=(NORMAL,), **options) -> Case:
        return echoed(number, what, *steps, replies=[], codes=codes, **options)

    def broken(number: str, what: str, *steps, code: int = PROTOCOL_ERROR, **options) -> Case:
        return closed(number, what, *steps, codes=(code,), **options)

    good_codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
    bad_codes = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]
    return [
        echoed("7.1.1", "a text, then a close", text(b"Hello World!")),
        closed("7.1.2", "two closes", close(NORMAL), close()),
        closed("7.1.3", "a ping after the close", close(NORMAL), ping()),
        closed("7.1.4", "a text after the close", close(NORMAL), text(b"Hello World!")),
        closed("7.1.5", "a close between two fragments", text(b"fragment1", fin=False),
               close(NORMAL), more(b"fragment2")),
        failed("7.1.6", "256 KiB, a text, a close, a ping",
               text((b"BAsd7&jh23" * 26215)[:262144]), text(b"Hello World!"), close(NORMAL),
               ping(), code=TOO_BIG, differs=OVER_CAP),
        closed("7.3.1", "an empty close", close()),
        broken("7.3.2", "a close of one byte", close(reason=b"a")),
        closed("7.3.3", "a close with a code", close(NORMAL)),
        closed("7.3.4", "a close with a reason", close(NORMAL, b"Hello World!")),
        closed("7.3.5", "a close with the longest reason", close(NORMAL, b"*" * 123)),
        broken("7.3.6", "a close with too long a reason", close(NORMAL, b"*" * 124)),
        broken("7.5.1", "a close with a reason that is not UTF-8",
               close(NORMAL, KOSME + b"\xed\xa0\x80edited"), code=BAD_DATA),
        *(closed(f"7.7.{at}", f"close code {code}", close(code), codes=(NORMAL, code))
          for at, code in enumerate(good_codes, 1)),
        *(broken(f"7.9.{at}", f"bad close code {code}", close(code))
          for at, code in enumerate(bad_codes, 1)),
        *(broken(f"7.13.{at}", f"close code {code}, which the RFC leaves open", close(code))
          for at, code in enumerate((5000, 65535), 1)),
    ]


def limits() -> list[Case]:
    """9: large messages. The gateway takes small ones only: the cases test the limit."""
    def pattern(length: int) -> bytes:
        return (b"BAsd7&jh23" * (length // 10 + 1))[:length]

    kib, mib = 1 << 10, 1 << 20
    whole = [64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib]
    sizes = [64, 256, kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib]
    chops = [64, 128, 256, 512, 1024, 2048]
    rounds = [0, 16, 64, 256, 1024, 4096]

    def taken_or_not(number: str, what: str, length: int, *steps) -> Case:
        if length <= CAP:
            return echoed(number, what, *steps)
        return failed(number, what, *steps, code=TOO_BIG, differs=OVER_CAP)

    def refused(number: str, what: str, *steps) -> Case:
        return failed(number, what, *steps, code=UNSUPPORTED, differs=BINARY_REFUSED)

    cases = []
    for at, length in enumerate(whole, 1):
        cases += [
            taken_or_not(f"9.1.{at}", f"text of {length} bytes", length, text(pattern(length))),
            refused(f"9.2.{at}", f"binary of {length} bytes", binary(pattern(length)))]
    for at, size in enumerate(sizes, 1):
        cases += [
            taken_or_not(f"9.3.{at}", f"text of 4 MiB, {size} bytes a fragment", 4 * mib,
                         *fragments(b"*" * 4 * mib, size)),
            refused(f"9.4.{at}", f"binary of 4 MiB, {size} bytes a fragment",
                    *fragments(b"*" * 4 * mib, size, BINARY))]
    for at, chop in enumerate(chops, 1):
        cases += [
            taken_or_not(f"9.5.{at}", f"text of 1 MiB, {chop} bytes a write", mib,
                         text(pattern(mib), chop=chop)),
            refused(f"9.6.{at}", f"binary of 1 MiB, {chop} bytes a write",
                    binary(pattern(mib), chop=chop))]
    for at, length in enumerate(rounds, 1):
        cases += [
            echoed(f"9.7.{at}", f"1,000 texts of {length} bytes, one after the other",
                   text(b"*" * length), rounds=1000),
            refused(f"9.8.{at}", f"1,000 binaries of {length} bytes", binary(b"\xfe" * length))]
    return cases


def automatic() -> list[Case]:
    """10: fragments as a library makes them."""
    return [echoed("10.1.1", "text of 65536 bytes, 1300 bytes a fragment",
                   *fragments(b"*" * 65536, 1300))]


def in_order(case: Case) -> list[int]:
    return [int(part) for part in case.number.split(".")]


CASES = sorted(framing() + pings() + reserved_bits() + opcodes() + fragmentation() + utf8() +
               closing() + limits() + automatic(), key=in_order)
