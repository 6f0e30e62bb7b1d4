"""yaml_subset - reads the part of YAML that the papers of docs/protocol use.

Maps, lists, both also in one line; plain, quoted, literal and folded texts; anchors and
aliases; comments. Everything else is a YamlFault with its line, also what YAML 1.1 and 1.2
read differently. web/publisher/tests compares it with PyYAML.
"""

import re

ANCHOR = re.compile(r"&([\w-]+)(?:\s+|$)")
ALIAS = re.compile(r"\*([\w-]+)$")
KEY = re.compile(r"""('(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s'"&*!|>%@`{}\[\],#?:-](?:[^:#]|:(?=\S)|(?<=\S)#)*?"""
                 r"""|[-?:](?=\S)[^:#]*?)\s*:(?:\s+|$)""")
COMMENT = re.compile(r"(?:^|\s)#.*$")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
# What YAML 1.1 takes for a truth value, a time, or a number in another base.
AMBIGUOUS = re.compile(r"(?i:yes|no|on|off|\.nan|[-+]?\.inf)|[-+]?0([0-9_]+|[box][0-9a-fA-F_]+)"
                       r"|[-+]?[0-9][0-9_:]*[_:][0-9_:.]*|\d{4}-\d\d?-\d\d?([Tt ].*)?"
                       r"|[-+]?(?=\.?[0-9])[0-9]*\.?[0-9]*(e[-+]?[0-9]+)?|\+[0-9.].*")
WORDS = {"null": None, "~": None, "true": True, "false": False}
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "/": "/", "0": "\0"}


class YamlFault(Exception):
    pass


def load(text: str):
    return Reader(text).document()


class Reader:
    def __init__(self, text: str):
        self.lines = text.split("\n")
        self.at = 0
        self.anchors: dict[str, object] = {}

    def fault(self, what: str) -> YamlFault:
        return YamlFault(f"line {self.at + 1}: {what}")

    # --- lines ------------------------------------------------------------------------
    def peek(self) -> tuple[int, str] | None:
        """Indentation and text of the next line that is no comment; None at the end."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            text = line.strip()
            if text and not text.startswith("#"):
                if "\t" in line or text.startswith(("---", "...", "%", "? ")):
                    raise self.fault(f"not of the subset: {text[:20]}")
                return len(line) - len(line.lstrip(" ")), text
            self.at += 1
        return None

    def document(self):
        first = self.peek()
        if first is None:
            return None
        value = self.block(first[0])
        if self.peek():
            raise self.fault("something follows the document")
        return value

    # --- blocks -----------------------------------------------------------------------
    def block(self, indent: int):
        _, text = self.peek()
        if text == "-" or text.startswith("- "):
            return self.block_list(indent)
        if KEY.match(text):
            return self.block_map(indent)
        value = self.one_line(COMMENT.sub("", text))
        self.at += 1
        return value

    def block_list(self, indent: int) -> list:
        values = []
        while (line := self.peek()) and line[0] == indent and re.match(r"-( |$)", line[1]):
            rest = line[1][1:].lstrip()
            inner = indent + len(line[1]) - len(rest)
            if rest and self.is_block(rest):
                # The rest of the line begins a block of its own, further in.
                anchor, rest_of = self.split_anchor(rest)
                self.lines[self.at] = " " * (inner + len(rest) - len(rest_of)) + rest_of
                values.append(self.keep(anchor, self.block(inner + len(rest) - len(rest_of))))
            else:
                values.append(self.value(rest, indent))
        self.check_end(indent)
        return values

    def is_block(self, text: str) -> bool:
        _, text = self.split_anchor(text)
        return bool(KEY.match(text) or re.match(r"-( |$)", text))

    def block_map(self, indent: int) -> dict:
        values: dict = {}
        while (line := self.peek()) and line[0] == indent and not re.match(r"-( |$)", line[1]):
            match = KEY.match(line[1])
            if not match:
                raise self.fault("a key and a colon are expected")
            key = self.scalar(match[1].strip())
            if key in values:
                raise self.fault(f"{key} stands twice")
            if key == "<<":
                raise self.fault("merge keys are not of the subset")
            values[key] = self.value(line[1][match.end():], indent, in_map=True)
        self.check_end(indent)
        return values

    def check_end(self, indent: int) -> None:
        line = self.peek()
        if line and line[0] > indent:
            raise self.fault("this line is further in than its neighbours")

    def value(self, text: str, indent: int, in_map: bool = False):
        """What follows `key: ` or `- `; the position is still on that line."""
        anchor, text = self.split_anchor(text)
        if re.match(r"[|>]", text):
            return self.keep(anchor, self.block_text(text, indent))
        text = COMMENT.sub("", text) if text[:1] not in ("'", '"') else text
        if text:
            value = self.keep(anchor, self.one_line(text))
            self.at += 1
            self.check_end(indent)
            return value
        self.at += 1
        line = self.peek()
        is_list = bool(line) and re.match(r"-( |$)", line[1]) is not None
        if line and (line[0] > indent or in_map and is_list and line[0] == indent):
            return self.keep(anchor, self.block(line[0]))
        return self.keep(anchor, None)

    def split_anchor(self, text: str) -> tuple[str | None, str]:
        match = ANCHOR.match(text)
        return (match[1], text[match.end():]) if match else (None, text)

    def keep(self, anchor: str | None, value):
        if anchor:
            self.anchors[anchor] = value
        return value

    def block_text(self, header: str, indent: int) -> str:
        match = re.fullmatch(r"([|>])(-?)\s*", header)
        if not match:
            raise self.fault(f"not of the subset: {header}")
        self.at += 1
        lines: list[str] = []
        inner = None
        while self.at < len(self.lines):
            line = self.lines[self.at]
            depth = len(line) - len(line.lstrip(" "))
            if line.strip():
                inner = depth if inner is None else inner
                if depth <= indent:
                    break
                if depth < inner or match[1] == ">" and depth > inner:
                    raise self.fault("uneven indentation in a text")
            lines.append(line[inner:] if inner is not None else "")
            self.at += 1
        while lines and not lines[-1].strip():
            lines.pop()
        if match[1] == "|":
            text = "\n".join(lines)
        else:
            text = re.sub(r"\n(\n*)", lambda found: found[1] or " ", "\n".join(lines))
        return text + ("" if match[2] or not text else "\n")

    # --- one line ---------------------------------------------------------------------
    def one_line(self, text: str):
        value, rest = self.flow(text.strip(), inside=False)
        if COMMENT.sub("", rest).strip():
            raise self.fault(f"not expected: {rest.strip()[:20]}")
        return value

    def flow(self, text: str, inside: bool = True):
        """One value, and what follows it."""
        text = text.lstrip()
        anchor, text = self.split_anchor(text)
        if text.startswith("{"):
            value, text = self.flow_map(text[1:])
        elif text.startswith("["):
            value, text = self.flow_list(text[1:])
        elif quoted := re.match(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\"""", text):
            value, text = self.scalar(quoted[0]), text[quoted.end():]
        else:
            end = re.search(r"\s*(?:[,\]}]|:(?=\s|$)|\s#|$)", text) if inside else None
            plain = text[:end.start()] if end else COMMENT.sub("", text)
            value, text = self.scalar(plain), text[len(plain):]
        return self.keep(anchor, value), text.lstrip()

    def flow_map(self, text: str) -> tuple[dict, str]:
        values: dict = {}
        text = text.lstrip()
        while not text.startswith("}"):
            key, text = self.flow(text)
            if key in values:
                raise self.fault(f"{key} stands twice")
            if not text.startswith(":"):
                raise self.fault("a colon is expected (a map in braces is one line)")
            values[key], text = self.flow(text[1:])
            text = self.after_comma(text, "}")
        return values, text[1:]

    def flow_list(self, text: str) -> tuple[list, str]:
        values: list = []
        text = text.lstrip()
        while not text.startswith("]"):
            value, text = self.flow(text)
            values.append(value)
            text = self.after_comma(text, "]")
        return values, text[1:]

    def after_comma(self, text: str, end: str) -> str:
        if text.startswith(","):
            return text[1:].lstrip()
        if not text.startswith(end):
            raise self.fault(f"a comma or {end} is expected (both on the line of the bracket)")
        return text

    def scalar(self, text: str):
        if text.startswith("'"):
            return text[1:-1].replace("''", "'")
        if text.startswith('"'):
            return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", self.escape, text[1:-1])
        if alias := ALIAS.fullmatch(text):
            if alias[1] not in self.anchors:
                raise self.fault(f"there is no anchor {alias[1]}")
            return self.anchors[alias[1]]
        if text in WORDS:
            return WORDS[text]
        if number := NUMBER.fullmatch(text):
            return float(text) if number[2] else int(text)
        if not text or AMBIGUOUS.fullmatch(text) or text[0] in "!&*|>%@`{}[],#'\"" or ": " in text:
            raise self.fault(f"not of the subset, quote it: {text[:20]}")
        return text

    def escape(self, match: re.Match) -> str:
        if match[1][0] == "u" and len(match[1]) == 5:
            return chr(int(match[1][1:], 16))
        if match[1] not in ESCAPES:
            raise self.fault(f"not of the subset: \\{match[1]}")
        return ESCAPES[match[1]]
