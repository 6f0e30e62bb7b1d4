"""Reads constants and codes from C sources."""
import ast
import operator
import re

CODE = re.compile(r'X\(\w+,\s*"(\w+)",\s*(true|false)\)')
CONSTANT = re.compile(r"\b([A-Z][A-Z0-9_]*)\s*=\s*([^,;}=]+)")
NAME = re.compile(r"\b(?:FRAME|WEBSOCKET)_[A-Z_]+\b")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def frame_codes(root):
    """{text: retryable} as FRAME_CODES has them."""
    text = (root / "common/wire/frame.h").read_text("utf-8")
    table = text[text.index("#define FRAME_CODES") : text.index("enum frame_code")]
    return {code: retry == "true" for code, retry in CODE.findall(table)}


def frame_code_names(root):
    """{enum name: text} as FRAME_CODES has them."""
    text = (root / "common/wire/frame.h").read_text("utf-8")
    return dict(re.findall(r'X\((\w+),\s*"(\w+)"', text))


def names_used(root):
    """The constants that servers' code uses, beside its headers."""
    folders = ("common", "identity-service", "websocket-service", "persistence-service")
    used = set()
    for folder in folders:
        for path in (root / folder).rglob("*.c"):
            if "tests" not in path.relative_to(root).parts:
                used.update(NAME.findall(path.read_text("utf-8")))
    return used


def constants(path):
    """{name: number} of the enums in a header."""
    text = COMMENT.sub("", path.read_text("utf-8"))
    found = {}
    for name, expression in CONSTANT.findall(text):
        try:
            found[name] = number(ast.parse(expression.strip(), mode="eval").body)
        except (SyntaxError, ValueError):
            continue
    return found


def number(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](number(node.left), number(node.right))
    raise ValueError("no constant")
