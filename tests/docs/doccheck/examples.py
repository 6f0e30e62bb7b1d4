"""Every JSON example in docs/protocol/*.md names its schema and fits it.

The first line of a block names it: ```json message=welcome (a message of
asyncapi.yaml) or ```json schema=Session (a schema of openapi.yaml).
"""
import json
import re

from . import asyncapi, document, openapi

BLOCK = re.compile(r"^```json[ \t]*(.*?)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def faults(root):
    events = document.load(root / asyncapi.PATH)
    rest = document.load(root / openapi.PATH)
    shown = set()
    for path in sorted((root / "docs/protocol").glob("*.md")):
        text = path.read_text("utf-8")
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            shown.add(block[1].strip())
            for fault in block_faults(events, rest, block[1].strip(), block[2]):
                yield f"docs/protocol/{path.name}:{line}: {fault}"
    for name, message in events["components"]["messages"].items():
        if "contentType" not in message and f"message={name}" not in shown:
            yield f"docs/protocol: no page shows the message {name}"


def block_faults(events, rest, label, text):
    try:
        checker = checker_for(events, rest, label)
    except KeyError:
        yield f"the block is labelled '{label}', which is nothing we know"
        return
    try:
        value = json.loads(text, object_pairs_hook=members_once)
    except ValueError as error:
        yield f"not JSON: {error}"
        return
    for error in checker.iter_errors(value):
        yield f"no {label}: {error.json_path}: {error.message[:200]}"


def members_once(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("a member stands twice")
    return dict(pairs)


def checker_for(events, rest, label):
    kind, _, name = label.partition("=")
    if kind == "message":
        payload = events["components"]["messages"][name]["payload"]
        return asyncapi.validator(events, payload)
    if kind == "schema":
        rest["components"]["schemas"][name]
        return openapi.validator(rest, {"$ref": f"#/components/schemas/{name}"})
    raise KeyError(label)
