"""Plants a fault in a copy of the documentation; the check that owns the fault must
find it."""
import pathlib
import shutil
import tempfile

SOCKET = "docs/protocol/socket.md"
PLANTS = [
    # check, file, text, text instead
    ("openapi", "docs/protocol/openapi.yaml", "operationId: register", "operationID: register"),
    ("openapi", "docs/protocol/openapi.yaml", "token_type: Bearer", "token_type: 7"),
    ("openapi", "docs/protocol/openapi.yaml", "schemas/Problem'", "schemas/Trouble'"),
    ("asyncapi", "docs/protocol/asyncapi.yaml", "action: receive", "action: take"),
    ("asyncapi", "docs/protocol/asyncapi.yaml", "state: saved", "state: safe"),
    ("asyncapi", "docs/protocol/asyncapi.yaml", "messages/welcome'", "messages/hello'"),
    ("examples", SOCKET, '"type":"welcome"', '"type":"hello"'),
    ("examples", SOCKET, "json message=welcome", "json message=hello"),
    ("examples", SOCKET, '"seq":42', '"seq":"42"'),
    ("examples", SOCKET, '"what":"invited"', '"what":"invaded"'),
    ("examples", "docs/protocol/message_save.md", '"kind":"read"', '"kind":"reads"'),
    ("codes", SOCKET, "| `unknown_user` | no |", "| `unknown_user` | yes |"),
    ("codes", "common/wire/frame.h", '"bad_uuid"', '"evil_uuid"'),
    ("codes", SOCKET, "| 4408 |", "| 4409 |"),
    ("codes", "common/wire/frame.h", "FRAME_OUT_MAX = 160", "FRAME_OUT_MAX = 161"),
    ("codes", SOCKET, "has expired (not sent yet)", "has expired"),
    ("settings", "common/service/kafka_settings.def", '"12"', '"13"'),
    ("settings", "common/service/kafka_settings.def", "SETTING(topic_dlq", "SETTING_(topic_dlq"),
    ("settings", ".env", "PARLEY_MIN_FREE_MB=1024", "PARLEY_MIN_FREE_MB=1"),
    ("events", "docs/operations.md", "`service.drain_cut`", "`service.drain_hit`"),
    ("events", "docs/operations.md", "`service.drain_cut` | warn", "`service.drain_cut` | info"),
    ("events", "docs/operations.md", "| `record.dead` | error |", "| record.dead | error |"),
    ("events", "docs/operations.md", "Act: report a bug, or find", "Report a bug, or find"),
    ("events", "common/service/clock_watch.c", '"clock.set_back"', 'name'),
    ("events", "persistence-service/save/entry_events.c", '"record.dead"', '"record.died"'),
    ("events", "persistence-service/save/entry_events.c",
     'log_event(LOG_ERROR, "record.dead"', 'log_event(LOG_WARN, "record.dead"'),
    ("metrics", "docs/metrics.md", "below -->", "below -->\n\n| `parley_nothing` |"),
    ("stages", "tests/check/stages.py", "Includes that cross", "Includes that miss"),
    ("stages", "CONTRIBUTING.md", "`make prove` |", "`make test` |"),
    ("bounds", "docs/back-pressure.md", "`test_a_hundred_slow", "`test_a_thousand_slow"),
    ("bounds", "docs/back-pressure.md", "`UNREAD_MAX` in", "`UNHEARD_MAX` in"),
    ("bounds", "docs/back-pressure.md", "| closed with 1009 |", "|"),
    ("bounds", "docs/back-pressure.md", "`a_full_query_does_not_wait`", "—"),
    ("links", "README.md", "](docs/ARCHITECTURE.md", "](docs/ARCHITEXTURE.md"),
    ("links", "docs/ARCHITECTURE.md", "`common/client/`", "`common/clients/`"),
    ("links", "README.md", "adr/README.md", "adr/README.md#nowhere"),
]
FOLDERS = ("docs", "common", "tests/docs", "identity-service", "websocket-service",
           "persistence-service", "client-test", "deploy", "mk", "bench", "tests", "web")
FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", ".env", "Makefile",
         ".clang-format")


def faults(root, checks):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        copy_documentation(root, copy)
        for plant in PLANTS:
            yield from plant_faults(copy, checks, *plant)


def copy_documentation(root, copy):
    skip = shutil.ignore_patterns("__pycache__", ".venv", "venv", "corpus", "node_modules")
    for folder in FOLDERS:
        if (root / folder).is_dir():
            shutil.copytree(root / folder, copy / folder, ignore=skip, dirs_exist_ok=True)
    for file in FILES:
        if (root / file).exists():
            shutil.copy(root / file, copy / file)


def plant_faults(copy, checks, name, file, old, new):
    path = copy / file
    original = path.read_text("utf-8")
    if old not in original:
        yield f"{file}: '{old}' is not there to be replaced; planted.py is out of date"
        return
    before = set(checks[name](copy))
    path.write_text(original.replace(old, new, 1), "utf-8")
    if not found_more(checks[name], copy, before):
        yield f"{name} does not see '{new}' in {file}"
    path.write_text(original, "utf-8")


def found_more(check, copy, before):
    try:
        return bool(set(check(copy)) - before)
    except Exception:  # a document that cannot even be read
        return True
