"""docs/operations.md lists every log event of the code, with its level, and no other. The
text of an error says what to do."""
import re

PAGE = "docs/operations.md"
COMMON = "common"
FOLDERS = (COMMON, "identity-service", "websocket-service", "persistence-service")
SECTIONS = {"All services": COMMON} | {name: name for name in FOLDERS[1:]}
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LITERAL = re.compile(r'"([a-z0-9_.]+)"')
# What an event that a caller passes looks like.
DOTTED = re.compile(r'"([a-z0-9_]+\.[a-z0-9_]+)"')
LEVEL = re.compile(r"\bLOG_(DEBUG|INFO|WARN|ERROR)\b")
ROW = re.compile(r"^\| (`[^|]*`) \| ([a-z/, ]+) \| (.*) \|$", re.MULTILINE)
ACT = "Act:"


def faults(root):
    real, unread = read_code(root)
    yield from unread
    said, texts = read_page(root)
    if not real or not said:
        yield f"{PAGE}: no events can be read"
    for folder, event in sorted(real.keys() | said.keys()):
        yield from compare(folder, event, real, said)
    for event, text in texts:
        if ACT not in text:
            yield f"{PAGE}: {event} is an error; its text must say what to do after '{ACT}'"


def compare(folder, event, real, said):
    """An event of several services may stand in the first section, once."""
    if (folder, event) in said:
        levels = real.get((folder, event), set())
        if folder == COMMON:
            levels = set().union(*(real.get((name, event), set()) for name in FOLDERS))
        if not levels:
            yield f"{PAGE}: no code of {folder} logs {event}"
        elif levels != said[folder, event]:
            yield (f"{PAGE}: {event} is logged as {'/'.join(sorted(levels))},"
                   f" not as {'/'.join(sorted(said[folder, event]))}")
    elif (COMMON, event) not in said:
        yield f"{PAGE}: {event} of {folder} is missing"


# --- the code ------------------------------------------------------------------------
def read_code(root):
    events, unread = {}, []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.c")):
            if "tests" in path.relative_to(root).parts:
                continue
            text = COMMENT.sub("", path.read_text("utf-8"))
            for start, level, event in calls(text):
                found = pair(text, level, event)
                if not found:
                    line = text.count("\n", 0, start) + 1
                    unread.append(f"{path.relative_to(root)}:{line}: the level and the event"
                                  " of log_event() must be constants here")
                for name, levels in found:
                    events.setdefault((folder, name), set()).update(levels)
    return events, unread


def calls(text):
    """(position, level, event) of each log_event(…)."""
    for found in re.finditer(r"(?<!define )\blog_event\(", text):
        level, event = first_arguments(text, found.end())
        yield found.start(), level, event


def first_arguments(text, at):
    arguments, begin, depth, quoted = [], at, 0, False
    while len(arguments) < 2:
        char = text[at]
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "([{":
            depth += 1
        elif not quoted and (char == "," or char in ")]}" and depth == 0) and depth == 0:
            arguments.append(text[begin:at])
            begin = at + 1
        elif not quoted and char in ")]}":
            depth -= 1
        at += 1
    return arguments


def pair(text, level, event):
    """[(event, levels)]. `a ? X : Y` for both arguments goes together."""
    levels = [name.lower() for name in LEVEL.findall(level)]
    names = LITERAL.findall(event)
    if not names and re.fullmatch(r"\s*\w+\s*", event):
        names = passed_names(text)
    if not levels or not names:
        return []
    if len(levels) == len(names) == 2:
        return [(name, {one}) for name, one in zip(names, levels)]
    return [(name, set(levels)) for name in names]


def passed_names(text):
    """The events that the functions of a file pass to one another."""
    logged = {event for _, _, event in calls(text)}
    return [name for name in DOTTED.findall(text)
            if not any(f'"{name}"' in event for event in logged)]


# --- the page ------------------------------------------------------------------------
def read_page(root):
    events, errors = {}, []
    logs = (root / PAGE).read_text("utf-8").split("\n## Logs\n")[1].split("\n## ")[0]
    for part in logs.split("\n### ")[1:]:
        title, rows = part.split("\n", 1)
        if title not in SECTIONS:
            raise ValueError(f"{PAGE}: the section {title} is not one of a service")
        for cell, level_cell, text in ROW.findall(rows):
            names = re.findall(r"`([^`]+)`", cell)
            levels = level_cell.strip().split(", ")
            if len(levels) == 1:
                levels *= len(names)
            for name, level in zip(names, levels, strict=True):
                events[SECTIONS[title], name] = set(level.split("/"))
                if "error" in level:
                    errors.append((name, text))
    return events, errors
