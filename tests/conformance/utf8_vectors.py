"""utf8_vectors - the byte sequences of sections 6.5 to 6.23.

They follow Markus Kuhn's "UTF-8 decoder capability and stress test", in the
order that Autobahn numbers them. Python's own decoder, which is independent of
ours, decides whether a sequence is valid.
"""

KOSME = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"  # its second letter has three bytes


def starts(first: int, past: int) -> bytes:
    """Lone start bytes, each followed by a space. The last byte of a range is missing:
    the original omits it, and the case numbers are those of the original."""
    return b"".join(bytes([byte, 0x20]) for byte in range(first, past))


CUT_SHORT = [b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80",
             b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"]


def surrogate(code: int) -> bytes:
    return chr(code).encode("utf-8", "surrogatepass")


def non_characters() -> list[bytes]:
    """The last two code points of each plane."""
    return [chr(plane << 16 | low).encode() for plane in range(0x11) for low in (0xfffe, 0xffff)]


GROUPS: list[tuple[str, list[bytes]]] = [
    ("good text", [b"hello\x24world", "hello¢world".encode(), "hello€world".encode(),
                   "hello𤭢world".encode(), KOSME]),
    ("each prefix of a good text", [KOSME[:end] for end in range(1, len(KOSME) + 1)]),
    ("the first sequence of 1 to 4 bytes", [chr(code).encode() for code in
                                            (0x0, 0x80, 0x800, 0x10000)]),
    ("the first sequence of 5 and 6 bytes", [b"\xf8\x88\x80\x80\x80",
                                             b"\xfc\x84\x80\x80\x80\x80"]),
    ("the last sequence of 1 to 4 bytes", [chr(code).encode() for code in
                                           (0x7f, 0x7ff, 0xffff, 0x10ffff)]),
    ("the last sequence of 4 to 6 bytes", [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf",
                                           b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
    ("other borders", [chr(code).encode() for code in (0xd7ff, 0xe000, 0xfffd, 0x10ffff)] +
     [b"\xf4\x90\x80\x80"]),
    ("continuation bytes alone", [b"\x80", b"\xbf"] +
     [(b"\x80\xbf" * 3)[:length] for length in range(2, 7)] + [bytes(range(0x80, 0xbf))]),
    ("start bytes alone", [starts(0xc0, 0xdf), starts(0xe0, 0xef), starts(0xf0, 0xf7),
                           starts(0xf8, 0xfb), starts(0xfc, 0xfd)]),
    ("the last byte missing", CUT_SHORT),
    ("the last bytes missing, one after the other", [b"".join(CUT_SHORT)]),
    ("bytes that never occur", [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
    ("an overlong slash", [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf",
                           b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"]),
    ("the longest overlong sequences", [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf",
                                        b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"]),
    ("an overlong NUL", [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80",
                         b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"]),
    ("a surrogate alone", [surrogate(code) for code in
                           (0xd800, 0xdb7f, 0xdb80, 0xdbff, 0xdc00, 0xdf80, 0xdfff)]),
    ("a pair of surrogates", [surrogate(high) + surrogate(low)
                              for high in (0xd800, 0xdb7f, 0xdb80, 0xdbff)
                              for low in (0xdc00, 0xdfff)]),
    ("non-characters, which are good", non_characters()),
    ("specials", [chr(code).encode() for code in range(0xfff9, 0x10000)]),
]


def good(sequence: bytes) -> bool:
    try:
        sequence.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
