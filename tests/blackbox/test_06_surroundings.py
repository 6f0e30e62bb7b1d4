"""The launcher trusts nothing around it: variables, options of other shells, configuration of
other programs, line ends, paths and killed predecessors. It starts, or names what to change.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from support.checkout import copy_tree
from support.stack import ROOT, START_TIMEOUT_S, Stack
from support.wait import HANG_S, until

NOBODY = 65534
NO_FOLDER = "/nonexistent"
NOT_BUILT = "is not built; run: make"

# Variables that other programs read; each alone, and all together.
VARIABLES = {
    "JAVA_TOOL_OPTIONS": "-Dx=y", "JDK_JAVA_OPTIONS": "-Dx=y", "_JAVA_OPTIONS": "-Xmx8m",
    "JAVA_OPTS": "-Dx=y", "KAFKA_OPTS": "-Dx=y", "KAFKA_HEAP_OPTS": "-Xmx8m",
    "CLASSPATH": NO_FOLDER, "JAVA_HOME": NO_FOLDER, "MAVEN_OPTS": "-Dx=y",
    "BASHOPTS": "dotglob:failglob:nocasematch:nullglob",
    "SHELLOPTS": "allexport:noclobber:noglob:posix",
    "POSIXLY_CORRECT": "1", "CDPATH": "/:/tmp:/usr", "IFS": "/", "GREP_OPTIONS": "-v",
    "LC_ALL": "tr_TR.UTF-8", "LANG": "xx_YY", "LANGUAGE": "de", "TZ": NO_FOLDER,
    "TMPDIR": NO_FOLDER, "http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9", "ALL_PROXY": "socks5://127.0.0.1:9",
    "MYSQL_PWD": "wrong", "MYSQL_TCP_PORT": "9", "MYSQL_UNIX_PORT": NO_FOLDER, "UMASK": "0777",
    "UMASK_DIR": "0777", "REDISCLI_AUTH": "wrong", "KCAT_CONFIG": NO_FOLDER,
    "CURL_HOME": NO_FOLDER, "PS_FORMAT": "comm", "PS_PERSONALITY": "bsd", "PYTHONHOME": NO_FOLDER,
    "PYTHONPATH": NO_FOLDER, "PYTHONSTARTUP": NO_FOLDER, "BLOCK_SIZE": "human-readable",
    "TERM": "no-such-terminal", "MAKEFLAGS": "k", "DISPLAY": ":9",
    "BASH_FUNC_curl%%": "() { echo a function; }", "BASH_FUNC_sed%%": "() { echo a function; }",
    "BASH_FUNC_cat%%": "() { false; }",
}
# Files in the home folder that the programs of the launcher would read.
HOME_FILES = {
    ".curlrc": "fail\ninclude\nproxy = http://127.0.0.1:9\n", ".kcatrc": "security.protocol=ssl\n",
    ".config/kcat.conf": "security.protocol=ssl\n", ".my.cnf": "[client]\nhost = nowhere\n",
    ".redisclirc": ":set hints\n", ".bashrc": "exit 3\n",
    # The file that BASH_ENV names.
    ".bash_env": "set -o noclobber\nshopt -s nocasematch\ncurl() { echo a function; }\n",
}
OLD_JAVA = "#!/bin/sh\necho 'java version \"1.8.0_292\"' >&2\n"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may read; pytest's own is for one user."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def shared_tree() -> Iterator[Path]:
    """A checkout that no test changes, of another user than the one who looks at it."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        Path(folder).chmod(0o755)
        yield copy_tree(Path(folder))


def environment(**changes: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | changes


def run(words: list, cwd: Path = ROOT, **options) -> subprocess.CompletedProcess:
    options = {"stdin": subprocess.DEVNULL, "env": environment()} | options
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True,
                          timeout=START_TIMEOUT_S, **options)


def as_nobody(words: list) -> list:
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words]


# --- .env -----------------------------------------------------------------------------
def without(name: str, text: str) -> str:
    return re.sub(f"(?m)^{name}=.*\n", "", text)


def port_line(line: str, text: str) -> str:
    return re.sub("(?m)^PARLEY_PORT=.*$", line, text)


NOT_PLAIN = "is not a plain NAME=value line"
# What an editor or a hand does to the file, and what the launcher says about it.
ENV_FILES: dict[str, tuple[Callable[[str], str], str]] = {
    "CR LF": (lambda text: text.replace("\n", "\r\n"), "ends with CR LF"),
    "one CR LF": (lambda text: port_line("PARLEY_PORT=8080\r", text), "ends with CR LF"),
    "a byte order mark": (lambda text: "\ufeff" + text, "byte order mark"),
    "quotes": (lambda text: port_line('PARLEY_PORT="8080"', text), NOT_PLAIN),
    "blanks": (lambda text: port_line("PARLEY_PORT = 8080", text), NOT_PLAIN),
    "a blank at the end": (lambda text: port_line("PARLEY_PORT=8080 ", text), NOT_PLAIN),
    "a comment": (lambda text: port_line("PARLEY_PORT=8080 # all clients", text), NOT_PLAIN),
    "export": (lambda text: port_line("export PARLEY_PORT=8080", text), NOT_PLAIN),
    "a small letter": (lambda text: port_line("parley_port=8080", text), NOT_PLAIN),
    "another name": (lambda text: port_line("PARLEY_PROT=8080", text), "no line PARLEY_PORT="),
    "a name twice": (lambda text: text + "PARLEY_PORT=8090\n", "PARLEY_PORT a second time"),
    "no value": (lambda text: port_line("PARLEY_PORT=", text), "PARLEY_PORT must be a port"),
    "a word": (lambda text: port_line("PARLEY_PORT=web", text), "PARLEY_PORT must be a port"),
    "nothing": (lambda text: "", "no line BIND_ADDRESS="),
    "no end of line": (lambda text: text.rstrip("\n"), NOT_BUILT),
    "no change": (lambda text: text, NOT_BUILT),
} | {f"without {name}": (partial(without, name), None)
     for name in re.findall("(?m)^([A-Z_]+)=", (ROOT / ".env").read_text())}


def test_each_fault_of_the_settings_file_is_named(place: Path):
    """The tree is not built, so a start without a fault in the file ends there."""
    tree = copy_tree(place)
    text = (tree / ".env").read_text()
    wrong = []
    for what, (edit, said) in ENV_FILES.items():
        (tree / ".env").write_text(edit(text), newline="")
        done = run(["deploy/stack", "run"], tree)
        name = what.removeprefix("without ")
        expected = (said,) if said else (f"no line {name}=", NOT_BUILT)
        clean = all(line.startswith("parley: ") for line in done.stderr.splitlines())
        code = 111 if NOT_BUILT in done.stderr else 100
        if not clean or done.returncode != code or \
                not any(one in done.stderr for one in expected):
            wrong.append(f"{what}: {done.returncode}: {done.stderr[:300]}")
    assert not wrong, "\n".join(wrong)


# --- variables ----------------------------------------------------------------------
@pytest.mark.parametrize("name", ["none", *VARIABLES])
def test_no_variable_hides_a_package_that_is_installed(shared_tree: Path, name: str):
    """As root the script would go to apt-get instead of failing."""
    odd = {name: VARIABLES[name]} if name in VARIABLES else {}
    done = run(as_nobody(["deploy/install-packages"]), shared_tree,
               env=environment(HOME=NO_FOLDER) | odd)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == ""


@pytest.mark.prove
@pytest.mark.slow
def test_a_start_in_odd_surroundings(place: Path):
    """All variables at once, hostile files in the home folder, an old Java, and a path with
    blanks and quotes. The launcher names PARLEY_RUN_DIR, and its advice is followed."""
    stack = Stack("surroundings")
    tree = copy_tree(place / "my \"chat\" 100%")
    home = place / "home"
    for name, text in HOME_FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    old = place / "java"
    old.mkdir()
    (old / "java").write_text(OLD_JAVA)
    (old / "java").chmod(0o755)
    build = (ROOT / os.environ.get("PARLEY_BUILD", "build/release")).resolve()
    cache = (ROOT / os.environ.get("PARLEY_CACHE_DIR", ".cache")).resolve()
    odd = {name: value for name, value in stack.env.items() if name != "PARLEY_RUN_DIR"} | \
        VARIABLES | {"HOME": str(home), "BASH_ENV": str(home / ".bash_env"),
                     "PATH": f"{old}:{os.environ['PATH']}", "PARLEY_BUILD": str(build),
                     "PARLEY_CACHE_DIR": str(cache)}
    options = {"env": odd, "umask": 0o777, "close_fds": True}

    refused = run(["deploy/stack", "up"], tree, **options)
    assert refused.returncode == 100
    (line,) = refused.stderr.splitlines()[-1:]
    advice = re.search(r"for example PARLEY_RUN_DIR=(\S+)$", line)
    assert advice, refused.stderr
    odd["PARLEY_RUN_DIR"] = advice[1]
    try:
        up = run(["deploy/stack", "up"], tree, **options)
        assert up.returncode == 0, up.stdout + up.stderr
        status = run(["deploy/stack", "status"], tree, **options)
        assert status.returncode == 0, status.stdout + status.stderr
        sent = run([build / "client-test/client-test", "accept", "--url", stack.url], tree,
                   env=odd)
        assert sent.returncode == 0, sent.stdout + sent.stderr
        restarted = run(["deploy/stack", "restart", "kafka"], tree, **options)
        assert restarted.returncode == 0, restarted.stdout + restarted.stderr
    finally:
        down = run(["deploy/stack", "down"], tree, **options)
        stack.wipe()
    assert down.returncode == 0, down.stdout + down.stderr


# --- line ends ----------------------------------------------------------------------
def test_a_clone_that_changes_line_ends_has_those_of_the_scripts(place: Path):
    tree, clone = copy_tree(place / "tree"), place / "clone"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "a"]):
        run([*git, *words], tree).check_returncode()
    run(["git", "clone", "-q", "-c", "core.autocrlf=true", tree, clone]).check_returncode()
    listed = run(["git", "ls-files", "--eol"], clone).stdout.splitlines()
    assert listed
    changed = [line for line in listed if "w/crlf" in line and "i/crlf" not in line]
    assert changed == []
    # The inputs of the fuzz harnesses are what they were.
    assert run(["git", "status", "--porcelain"], clone).stdout == ""
    for path in (ROOT / "tests/fuzz/corpus").rglob("*"):
        if path.is_file():
            assert (clone / path.relative_to(ROOT)).read_bytes() == path.read_bytes(), path


def test_scripts_with_other_line_ends_are_named(place: Path):
    for path in (tree := copy_tree(place)).rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    for goal in ("run", "deps", "test", "prove"):
        done = run(["make", goal], tree)
        assert done.returncode != 0
        said = done.stderr.splitlines()
        assert "CR LF" in said[0] and "git clone -c core.autocrlf=false" in said[0], done.stderr
        assert len(said) == 2 and said[1].startswith("make: ***")


# --- folders that cannot be written ----------------------------------------------------
def test_a_run_folder_that_cannot_be_written_is_named(shared_tree: Path):
    done = run(as_nobody(["deploy/stack", "up"]), shared_tree, env=environment(HOME="/"))
    assert done.returncode == 111
    assert done.stderr.splitlines()[-1].endswith("for example PARLEY_RUN_DIR=/var/tmp/parley-run")
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_checkout_that_cannot_be_written_is_named(shared_tree: Path):
    done = run(as_nobody(["make", "run"]), shared_tree, env=environment(HOME="/"))
    assert done.returncode != 0
    assert "copy the checkout to a folder of yours" in done.stderr.splitlines()[0], done.stderr
    assert len(done.stderr.splitlines()) == 2, done.stderr


@pytest.mark.parametrize("run_dir", ["/dev/null/run", "/proc/run", "{file}"])
def test_a_run_folder_that_cannot_be_made_is_named(place: Path, run_dir: str):
    (place / "file").touch()
    run_dir = run_dir.format(file=place / "file")
    done = run(["deploy/stack", "up"], env=environment(PARLEY_RUN_DIR=run_dir))
    assert done.returncode == 111
    assert done.stderr.startswith(f"parley: {run_dir} is not a folder"), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_cache_that_cannot_be_written_is_named():
    done = run(["deploy/kafka/fetch-jars"], env=environment(PARLEY_CACHE_DIR="/proc/cache"))
    assert done.returncode == 111
    assert done.stderr.startswith("parley: /proc/cache/kafka cannot be written"), done.stderr


# --- other launchers --------------------------------------------------------------------
@pytest.mark.prove
@pytest.mark.slow
def test_a_killed_launcher_blocks_nothing_and_a_live_one_is_named():
    """The first is killed when its servers start: its readiness checks hold its lock on."""
    stack = Stack("launchers")
    run_dir = stack.run_dir
    try:
        with subprocess.Popen(["deploy/stack", "run"], cwd=ROOT, env=stack.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as first:
            until("the servers start", lambda: (run_dir / "pid/kafka.pid").exists(), HANG_S)
            second = run(["deploy/stack", "up"], env=stack.env)
            assert second.returncode == 111
            assert f"another launcher (pid {first.pid}) is at work" in second.stderr
            first.send_signal(signal.SIGKILL)
        third = run(["deploy/stack", "up"], env=stack.env)
        assert third.returncode == 0, third.stdout + third.stderr
        fourth = run(["deploy/stack", "up"], env=stack.env)
        assert fourth.returncode == 111 and "deploy/stack down stops it" in fourth.stderr
    finally:
        run(["deploy/stack", "down"], env=stack.env)
        stack.wipe()


# --- ports, disk, programs ----------------------------------------------------------------
def test_what_the_machine_does_not_offer_is_named_at_once(stack: Stack, place: Path):
    """Ports of another stack, a full disk and programs that are not built."""
    settings = stack.env | {"PARLEY_RUN_DIR": str(place / "run"), "PARLEY_BUILD": str(place),
                            "PARLEY_MIN_FREE_MB": "999999999"}
    done = run(["deploy/stack", "up"], env=settings)
    assert done.returncode == 111
    for wanted in (f"port {stack.port('KAFKA_PORT')} of kafka is in use", "MiB free",
                   "is not built; run: make"):
        assert wanted in done.stderr, done.stderr
    for line in done.stderr.splitlines():
        assert line.startswith("parley: "), done.stderr
