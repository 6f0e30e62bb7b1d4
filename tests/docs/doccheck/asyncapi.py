"""docs/protocol/asyncapi.yaml is AsyncAPI 3.0, and its examples fit its schemas."""
import json

from jsonschema import Draft7Validator

from . import document

PATH = "docs/protocol/asyncapi.yaml"
STANDARD = "tests/docs/schemas/asyncapi-3.0.0.json"


def faults(root):
    api = document.load(root / PATH)
    standard = json.loads((root / STANDARD).read_text("utf-8"))
    for error in Draft7Validator(standard).iter_errors(api):
        yield f"{PATH}: {error.json_path}: {deepest(error)}"
    for fault in document.dead_references(api):
        yield f"{PATH}: {fault}"
    for name, message in api["components"]["messages"].items():
        yield from message_faults(api, name, message)


def deepest(error):
    while error.context:
        error = max(error.context, key=lambda below: len(below.absolute_path))
    return f"{error.json_path}: {error.message[:200]}"


def message_faults(api, name, message):
    """A message has examples, and all of them fit."""
    if not message.get("examples"):
        yield f"{PATH}: message {name} has no example"
    for index, example in enumerate(message.get("examples", [])):
        for part in ("payload", "headers"):
            if part not in example:
                continue
            for error in validator(api, message[part]).iter_errors(example[part]):
                where = f"message {name}, example {index}, {part}"
                yield f"{PATH}: {where}: {error.json_path}: {error.message[:200]}"


def validator(api, schema):
    whole = {"components": api["components"]}
    if "$ref" in schema:
        whole["allOf"] = [schema]
    else:
        whole |= schema
    return Draft7Validator(whole, format_checker=Draft7Validator.FORMAT_CHECKER)
