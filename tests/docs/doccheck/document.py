"""YAML documents and the references inside them."""
import yaml


def load(path):
    return yaml.safe_load(path.read_text("utf-8"))


def at(document, reference):
    """The target of "#/a/b"; KeyError when it does not exist."""
    place = document
    for step in reference.removeprefix("#/").split("/"):
        place = place[step.replace("~1", "/").replace("~0", "~")]
    return place


def walk(node, path=""):
    """Every (path, mapping) below a node."""
    if isinstance(node, dict):
        yield path, node
        for name, below in node.items():
            yield from walk(below, f"{path}/{name}")
    elif isinstance(node, list):
        for index, below in enumerate(node):
            yield from walk(below, f"{path}/{index}")


def dead_references(document):
    for path, node in walk(document):
        reference = node.get("$ref")
        if not isinstance(reference, str):
            continue
        try:
            at(document, reference)
        except (KeyError, TypeError):
            yield f"{path}: $ref {reference} points nowhere"


def schema(document, reference):
    """A schema with the rest of the document behind its references."""
    return {"$ref": reference} | {
        name: part for name, part in document.items() if name == "components"
    }
