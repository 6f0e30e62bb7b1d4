"""docs/protocol/openapi.yaml is OpenAPI 3.1, and its examples fit its schemas."""
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from . import document

PATH = "docs/protocol/openapi.yaml"


def faults(root):
    api = document.load(root / PATH)
    if not str(api.get("openapi", "")).startswith("3.1."):
        yield f"{PATH}: not OpenAPI 3.1"
    for error in OpenAPIV31SpecValidator(api).iter_errors():
        where = "/".join(str(step) for step in error.path)
        yield f"{PATH}: {where}: {error.message[:200]}"
    for fault in document.dead_references(api):
        yield f"{PATH}: {fault}"
    for where, schema, value in media_examples(api):
        for error in validator(api, schema).iter_errors(value):
            yield f"{PATH}: {where}: {error.json_path}: {error.message[:200]}"


def validator(api, schema):
    whole = {"components": api["components"]} | schema
    return Draft202012Validator(
        whole, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def media_examples(api):
    """Every (where, schema, example) of a request or an answer."""
    for path, node in document.walk(api):
        if "schema" not in node:
            continue
        if "example" in node:
            yield path, node["schema"], node["example"]
        for name, example in node.get("examples", {}).items():
            if "$ref" in example:
                example = document.at(api, example["$ref"])
            yield f"{path}/{name}", node["schema"], example["value"]
