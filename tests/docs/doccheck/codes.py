"""Error codes, close codes and limits on the pages agree with the headers."""
import re

from . import asyncapi, document, source

PAGE = "docs/protocol/socket.md"
ERROR_ROW = re.compile(r"^\| `(\w+)` \| (yes|no) \|", re.MULTILINE)
CLOSE_ROW = re.compile(r"^\| (\d{4}) \|", re.MULTILINE)
LIMIT = re.compile(r"([0-9][0-9 ]*)[^|\n]*\|[^|\n]*\| `(\w+)` in `([\w/.-]+)`")
# Parley does not send these codes on a socket, or no peer may send them.
CLOSE_NEVER = {"WEBSOCKET_NO_CODE"}


def faults(root):
    text = (root / PAGE).read_text("utf-8")
    yield from error_faults(root, text)
    yield from close_faults(root, text)
    yield from unsent_faults(root, text)
    yield from limit_faults(root)


def error_faults(root, text):
    real = source.frame_codes(root)
    said = {code: retry == "yes" for code, retry in ERROR_ROW.findall(text)}
    if not real:
        yield "common/wire/frame.h: FRAME_CODES cannot be read"
    for code in sorted(real.keys() | said.keys()):
        if real.get(code) != said.get(code):
            yield (
                f"{PAGE}: code {code}: retryable is {real.get(code, 'absent')}"
                f" in FRAME_CODES, {said.get(code, 'absent')} here"
            )
    schemas = document.load(root / asyncapi.PATH)["components"]["schemas"]
    if set(schemas["ErrorCode"]["enum"]) != set(real):
        yield f"{asyncapi.PATH}: ErrorCode is not the list of FRAME_CODES"


def close_faults(root, text):
    header = "common/base/websocket.h"
    block = (root / header).read_text("utf-8").split("enum websocket_code", 1)[1]
    names = dict(re.findall(r"(WEBSOCKET_\w+)\s*=\s*(\d+)", block.split("}", 1)[0]))
    real = {int(code) for name, code in names.items() if name not in CLOSE_NEVER}
    said = {int(code) for code in CLOSE_ROW.findall(text)}
    for code in sorted(real ^ said):
        yield f"{PAGE}: close code {code} stands only in {'the header' if code in real else 'the page'}"


def unsent_faults(root, text):
    """The page marks exactly the error codes that no source sends."""
    used = source.names_used(root)
    for name, code in source.frame_code_names(root).items():
        row = next(line for line in text.splitlines() if f"| `{code}` |" in line)
        if (f"FRAME_{name}" in used) == ("(not sent yet)" in row):
            yield f"{PAGE}: is {code} sent? code and page differ"
    for name, code in source.constants(root / "common/base/websocket.h").items():
        row = next((line for line in text.splitlines() if f"| {code} |" in line), None)
        if row and (name in used) == ("(not sent yet)" in row):
            yield f"{PAGE}: is {code} sent? code and page differ"


def limit_faults(root):
    """Rows "| 65 536 bytes … | … | `FRAME_MAX` in `common/wire/frame.h` |"."""
    rows = 0
    for path in sorted((root / "docs").rglob("*.md")):
        for said, name, header in LIMIT.findall(path.read_text("utf-8")):
            rows += 1
            real = source.constants(root / header).get(name)
            if real != int(said.replace(" ", "")):
                yield f"{path.relative_to(root)}: {name} is {real}, not {said.strip()}"
    if not rows:
        yield "docs: no limit is stated anywhere"
