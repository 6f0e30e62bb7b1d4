"""stages - the table of all checks.

tests/check/run executes it, tests/check/choose picks from it, and the table in
CONTRIBUTING.md is generated from it (tests/docs/stages-table).
"""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

LAST_TIMES = Path(__file__).with_name("last-times.txt")

TEST, PROVE = "test", "prove"
TURNS = 10


@dataclass(frozen=True)
class Stage:
    """One make target.

    command   the make target that contains it: `make test` or `make prove`
    needs     stages that must pass first; `make prove PART=…` adds them by itself
    stack     the build whose services it uses: stages with the same build share
              one stack
    owns      True when it stops, kills or counts what belongs to the stack: such
              stages share another one, and only one of them runs at a time
    slots     how many of the two slots it takes: 2 when it keeps both cores busy
    touched   patterns of the paths whose change calls for it
    turn      .ci/run includes the part in every tenth commit, starting with this one
    """

    name: str
    command: str
    budget_s: int
    finds: str
    needs: tuple[str, ...] = ()
    stack: str = ""
    owns: bool = False
    slots: int = 1
    touched: tuple[str, ...] = ()
    turn: int = -1

    def is_touched(self, paths: list[str]) -> bool:
        return any(fnmatch(path, pattern) for path in paths for pattern in self.touched)


# A pattern's * also matches slashes.
SERVICES = ("common/*", "identity-service/*", "websocket-service/*", "persistence-service/*")
C_CODE = (*SERVICES, "client-test/*", "bench/load/*", "tests/ledger/*", "tests/support/*")
MAKE = ("Makefile", "mk/*")
STACK = ("deploy/*", "tests/blackbox/support/*", "tests/requirements.txt")

STAGES = (
    # --- make test ---------------------------------------------------------------
    Stage("tools", TEST, 60, "The Python packages and Kafka's jars for the other stages."),
    Stage("build", TEST, 90, "What gcc warns about; makes the programs for the other stages."),
    Stage("build-asan", TEST, 150, "The same under AddressSanitizer and UBSan, with the "
          "replay programs of the fuzz harnesses."),
    Stage("blackbox", TEST, 400, "Behaviour that differs from docs/protocol, seen by "
          "independent clients; these tests run side by side.",
          needs=("tools", "build"), stack="release"),
    Stage("blackbox-alone", TEST, 360, "Messages lost, doubled or out of order while services "
          "and servers are killed, stopped and restarted (a short ledger); secrets in logs, "
          "topics and tables.", needs=("tools", "build"), stack="release", owns=True),
    Stage("integration", TEST, 180, "Faults of our Kafka, SQL, Redis and HTTP modules against "
          "the real servers.", needs=("tools", "build"), stack="release"),
    Stage("accept", TEST, 30, "Faults in the acceptance scenarios of client-test.",
          needs=("tools", "build"), stack="release"),
    Stage("page-quick", TEST, 150, "A chat page with which two people cannot sign in and talk in "
          "Chromium; the page's modules that need no browser.", needs=("tools", "build"), stack="release"),
    Stage("layers", TEST, 10, "Includes that cross a layer."),
    Stage("lint", TEST, 20, "Banned calls, faults in shell scripts, unused imports of Python, "
          "paths of one machine."),
    Stage("checks", TEST, 10, "Faults in the runner and in what .ci/run chooses."),
    Stage("mutants-check", TEST, 10, "Planted bugs that no longer fit the code.",
          needs=("tools",)),
    Stage("format-check", TEST, 30, "C code that clang-format would change.",
          needs=("tools",)),
    Stage("docs", TEST, 60, "Documentation that contradicts the code, broken links, invalid "
          "API descriptions.", needs=("tools",)),
    Stage("publisher", TEST, 30, "Faults in web/publish: names, references, compressed forms, "
          "YAML that it reads otherwise than other programs.", needs=("tools",)),
    Stage("unit", TEST, 40, "Faults in single modules.", needs=("build",)),
    Stage("unit-asan", TEST, 60, "The same under AddressSanitizer and UBSan: memory errors, "
          "leaks, undefined behaviour.", needs=("build-asan",)),
    Stage("sdk-unit", TEST, 20, "Faults in single modules of the JavaScript SDK, its types and its "
          "package.", needs=("tools",)),
    Stage("corpora", TEST, 30, "Inputs from the fuzz corpora that break a decoder, under "
          "AddressSanitizer and UBSan.", needs=("build-asan",)),

    # --- make prove --------------------------------------------------------------
    Stage("build-clang", PROVE, 180, "What clang warns about.", touched=(*C_CODE, *MAKE), turn=0),
    Stage("hardening", PROVE, 30, "Programs and archives without the hardening that the flags "
          "ask for.", needs=("build", "build-clang"), touched=("*module.mk", *MAKE), turn=0),
    Stage("tidy", PROVE, 600, "What clang-tidy and its analyzer find.",
          touched=(*C_CODE, ".clang-tidy"), turn=0),
    Stage("integration-errors", PROVE, 400, "Messages and changes lost, doubled or half-written "
          "when a statement of a transaction fails.", needs=("tools", "build"), stack="release",
          touched=("persistence-service/*", "common/io/sql/*"), turn=8),
    Stage("build-tsan", PROVE, 150, "What gcc warns about under ThreadSanitizer.",
          touched=("tests/support/tsan*",), turn=1),
    Stage("unit-tsan", PROVE, 90, "Data races in single modules.", needs=("build-tsan",),
          touched=("common/*", "identity-service/*", "persistence-service/*"), turn=1),
    Stage("integration-tsan", PROVE, 300, "Data races between our modules and the libraries' "
          "threads.", needs=("tools", "build-tsan"), stack="tsan", touched=("common/io/*",), turn=1),
    Stage("blackbox-tsan", PROVE, 300, "Data races in running services.",
          needs=("tools", "build-tsan"), stack="tsan", touched=SERVICES, turn=1),
    Stage("blackbox-alone-tsan", PROVE, 60, "Data races in services that lose a server.",
          needs=("tools", "build-tsan"), stack="tsan", owns=True, touched=SERVICES, turn=1),
    Stage("blackbox-asan", PROVE, 800, "Memory errors, leaks and undefined behaviour in running "
          "services.", needs=("tools", "build-asan"), stack="asan", touched=SERVICES, turn=2),
    Stage("blackbox-alone-asan", PROVE, 700, "The same in services that lose a server or die.",
          needs=("tools", "build-asan"), stack="asan", owns=True, touched=SERVICES, turn=2),
    Stage("blackbox-long", PROVE, 300, "The largest tables of the black box; memory and time that "
          "hostile clients take, machines with odd settings, starts that wait.", needs=("tools", "build"), stack="release",
          touched=(*SERVICES, *STACK), turn=9),
    Stage("blackbox-faults", PROVE, 400, "Messages lost, doubled or out of order around one "
          "kind of death each, judged by a ledger of its own.", needs=("tools", "build"),
          stack="release", owns=True,
          touched=(*SERVICES, "tests/ledger/*", *STACK, "tests/blackbox/test_80*"), turn=3),
    Stage("conformance", PROVE, 60, "Autobahn's cases for WebSocket servers that the gateway "
          "answers wrongly.", needs=("tools", "build"), stack="release",
          touched=("common/base/*websocket*", "websocket-service/*", "tests/conformance/*"), turn=3),
    Stage("sms", PROVE, 300, "Requests that do not fit Twilio's OpenAPI, in Prism's eyes; SMS "
          "that are sent twice or hold clients up when the provider misbehaves.",
          needs=("tools", "build"), stack="release",
          touched=("identity-service/sms/*", "identity-service/phone/*",
                   "identity-service/api/phone*", "common/io/http/*", "tests/sms/*"), turn=4),
    Stage("page", PROVE, 900, "Faults of the pages in Chromium: what a reader can do, violations "
          "of their policy, what axe finds.", needs=("tools", "build"), stack="release",
          touched=("web/*", "clients/js/src/*", "deploy/nginx/*", "docs/protocol/*.yaml", "tests/page/*",
                   "tests/node/*"),
          slots=2, turn=4),
    Stage("sdk", PROVE, 180, "Behaviour of the JavaScript SDK on a running Parley that differs from "
          "its contract; messages that it loses, shows twice or out of order on a broken line.",
          needs=("tools", "build"), stack="release",
          touched=("clients/js/*", "websocket-service/*", "identity-service/api/*", "tests/node/*"), turn=6),
    Stage("sdk-faults", PROVE, 300, "Messages that the JavaScript SDK or the chat page loses, shows "
          "twice or out of order when services are killed.", needs=("tools", "build"), stack="release",
          owns=True, touched=("clients/js/*", "web/chat/*", "tests/page/faults/*", "tests/page/support/*",
                              "tests/node/*"), turn=6),
    Stage("build-faults", PROVE, 90, "What gcc warns about in the fault points.",
          touched=("common/service/fault_point*",), turn=4),
    Stage("steps", PROVE, 300, "Messages lost or doubled by a death at any step of a "
          "message.", needs=("tools", "build-faults"),
          touched=("websocket-service/*", "persistence-service/*", "tests/ledger/*",
                   "tests/steps/*", *STACK), turn=4),
    Stage("dependencies", PROVE, 900, "Services that notice too little, or clients that notice "
          "too much, of a Kafka, MariaDB, Redis or identity that misbehaves.",
          needs=("tools", "build"),
          touched=("common/io/*", "common/client/*", "*/presence/*", "tests/dependencies/*",
                   *STACK), turn=5),
    Stage("faults", PROVE, 400, "Messages lost under random faults of processes, links, "
          "disks and clocks.", needs=("tools", "build"),
          touched=(*SERVICES, "tests/ledger/*", "tests/faults/*", *STACK), turn=5),
    Stage("mutants", PROVE, 700, "Planted bugs that the ledger does not see.",
          needs=("tools", "build-faults"),
          touched=("persistence-service/*", "websocket-service/*", "tests/ledger/*",
                   "tests/mutants/*"), turn=6),
    Stage("compose", PROVE, 1200, "Container images that do not start, scale, upgrade or "
          "restore.", needs=("tools",), touched=("deploy/*", "docker-compose.yml", ".env",
                                                 "tests/compose/*", ".dockerignore", "*/schema/*"),
          turn=7),
    Stage("mysql8", PROVE, 1200, "SQL that MySQL 8 does not take, or takes differently.",
          needs=("tools", "build"),
          touched=("*/schema/*", "common/io/sql/*", "tests/mysql8/*",
                   "tests/blackbox/support/mysql8.py"), turn=3),
    Stage("soak", PROVE, 420, "Memory, descriptors or threads of a service that grow under a "
          "steady load.", needs=("tools", "build"), touched=SERVICES, turn=9),
    Stage("first-start", PROVE, 400, "A first `make run` on a bare Debian that fails, says more "
          "than a screen, or does not bring two users to a chat.", needs=("tools",),
          touched=("deploy/*", *MAKE), turn=9),
    Stage("build-debug", PROVE, 120, "What gcc warns about without optimisation.",
          touched=("tests/check/unit",), turn=8),
    Stage("unit-valgrind", PROVE, 400, "Uninitialised reads and leaks in single modules.",
          needs=("build-debug",), touched=("common/*", "identity-service/*"), turn=8),
    Stage("accept-valgrind", PROVE, 120, "The same in all programs under the acceptance run.",
          needs=("tools", "build-debug"), stack="valgrind", touched=SERVICES, turn=8),
    Stage("fuzz", PROVE, 240, "New inputs that break a decoder.",
          touched=("tests/fuzz/*", "common/base/*", "common/wire/*", "common/io/json*"), turn=9),
)

BY_NAME = {stage.name: stage for stage in STAGES}


def of_test() -> list[Stage]:
    return [stage for stage in STAGES if stage.command == TEST]


def parts() -> list[Stage]:
    """The stages that `make prove PART=…` may name; a part adds the builds that it needs."""
    return [stage for stage in STAGES if stage.command == PROVE]


def with_needs(names: list[str]) -> list[Stage]:
    """These stages and all that they need, in the order of the table."""
    wanted: set[str] = set()

    def add(name: str) -> None:
        if name not in wanted:
            wanted.add(name)
            for needed in BY_NAME[name].needs:
                add(needed)

    for name in names:
        add(name)
    return [stage for stage in STAGES if stage.name in wanted]


def expected_s(stage: Stage) -> float:
    """The expected time: that of the last recorded run, or else the budget."""
    return last_times().get(stage.name, stage.budget_s)


def last_times() -> dict[str, int]:
    """Stage -> seconds of its last recorded run."""
    if not LAST_TIMES.exists():
        return {}
    lines = LAST_TIMES.read_text("utf-8").splitlines()
    return {name: int(seconds) for name, seconds in
            (line.split() for line in lines if line and not line.startswith("#"))}
