"""docs/settings.md agrees with the code: the .def files, .env and the services."""
import re

from . import generated

PAGE = "docs/settings.md"
TOOL = "settings-table"
SERVICES = ("identity-service", "websocket-service", "persistence-service")
SHARED = "common/service"
ROW = re.compile(r"^SETTING\((.*)\)\s*$", re.MULTILINE)
CELL = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,"]*?)\s*(?:,|$)')
INCLUDE = re.compile(r'#\s*include "([^"]+\.def)"')
HEAD = "| variable | default | range | meaning |\n|---|---|---|---|"


def faults(root):
    yield from generated.stale(root, PAGE, TOOL, tables(root))
    yield from parse_faults(root)


def tables(root):
    parts = [table(root, path) for path in def_files(root)]
    return "\n\n".join([*parts, launcher_table(root)]) + "\n"


def def_files(root):
    yield from sorted((root / SHARED).glob("*.def"))
    for service in SERVICES:
        yield from sorted((root / service).glob("*.def"))


def table(root, path):
    name = path.relative_to(root)
    readers = ", ".join(f"`{s}`" for s in SERVICES if reads(root, s, name))
    lines = [f"## `{name}`", "", f"Read by {readers or 'no service yet'}.", "", HEAD]
    return "\n".join(lines + [row_line(row) for row in rows(path)])


def reads(root, service, name):
    if str(name).startswith(f"{service}/"):
        return True
    folder = root / service
    sources = [*folder.rglob("*.[ch]"), *folder.rglob("*.def")]
    return any(
        str(name) in INCLUDE.findall(source.read_text("utf-8")) for source in sources
    )


def rows(path):
    for inside in ROW.findall(path.read_text("utf-8")):
        yield [cell.strip('"') for cell in CELL.findall(inside)][:8]


def row_line(row):
    _, name, kind, preset, least, most, unit, meaning = row
    file = f" or `{name}_FILE`" if kind == "SECRET" else ""
    bounds = f"{least} to {most} " + (unit if kind == "NUMBER" else "characters")
    return f"| `{name}`{file} | {default(preset, kind)} | {bounds} | {meaning} |"


def default(preset, kind):
    if preset == "NULL":
        return "must be set"
    if preset == "":
        return "empty"
    return "(secret)" if kind == "SECRET" else f"`{preset}`"


def parse_faults(root):
    """Reports a row that the pattern does not match."""
    for path in def_files(root):
        lines = path.read_text("utf-8").splitlines()
        begun = sum(line.startswith("SETTING(") for line in lines)
        read = [row for row in rows(path) if len(row) == 8]
        if begun != len(read):
            yield f"{path.relative_to(root)}: {begun} settings, {len(read)} understood"


# --- what only the launcher reads ---------------------------------------------


def launcher_table(root):
    known = {row[1] for path in def_files(root) for row in rows(path)}
    known |= {f"{name}_FILE" for name in known}
    lines = ["## `.env`, beyond the services", "", "Read by `deploy/stack` (`make run`).", ""]
    lines += ["| variable | default | meaning |", "|---|---|---|"]
    for name, preset, meaning in env_entries(root):
        if name not in known:
            lines.append(f"| `{name}` | {default(preset, 'TEXT')} | {meaning} |")
    return "\n".join(lines)


def env_entries(root):
    """(name, default, the comment above it); names below one share it."""
    comment, fresh = [], True
    for line in (root / ".env").read_text("utf-8").splitlines():
        if line.startswith("#"):
            comment = [line[1:].strip()] if fresh else [*comment, line[1:].strip()]
            fresh = False
        elif "=" in line:
            name, _, preset = line.partition("=")
            yield name, preset, " ".join(comment)
            fresh = True
        else:
            comment, fresh = [], True
