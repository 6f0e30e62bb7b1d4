"""What all services share: settings, health, metrics, logs, SIGTERM."""

import json
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.api import Api, Person
from support.service import Service, environment
from support.stack import ROOT, SERVICES, Stack
from support.stores import rows
from support.wait import HANG_S, until

PLAIN = {"PATH": os.environ["PATH"]}


def run(stack: Stack, program: str, *arguments: str, **env: str):
    return subprocess.run([stack.binary(program), *arguments], env=PLAIN | env, text=True,
                          capture_output=True, timeout=HANG_S, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("service", SERVICES)
def test_help_lists_every_setting(service: str, stack: Stack):
    done = run(stack, service, "--help")
    assert done.returncode == 0
    known = set(re.findall(r"^(?:SETTING|SECRET)\([^,]*,\s*([A-Z0-9_]+)",
                           settings_source(service), re.M))
    assert len(known) > 5
    for name in known:
        assert name in done.stdout, name


def settings_source(service: str) -> str:
    """settings.def with the files it includes."""
    def lines(path: str) -> str:
        text = (ROOT / path).read_text()
        return re.sub(r'^#include "([^"]+\.def)"', lambda found: lines(found[1]), text,
                      flags=re.M)
    return lines(f"{service}/settings.def")


@pytest.mark.parametrize("service", SERVICES)
def test_check_accepts_the_settings_of_the_stack(service: str, stack: Stack):
    done = subprocess.run([stack.binary(service), "--check"], env=environment(stack),
                          capture_output=True, text=True, timeout=HANG_S)
    assert done.returncode == 0, done.stdout + done.stderr


BAD_SETTINGS = {
    "identity-service": {"IDENTITY_PORT": "0", "IDENTITY_TOKEN_TTL": "soon",
                         "MYSQL_PORT": "65536", "LOG_LEVEL": "loud",
                         "MYSQL_PASSWORD_FILE": "/nonexistent/secret"},
    "websocket-service": {"WEBSOCKET_PORT": "-1", "WEBSOCKET_PING_S": "1e3",
                          "EVENTS_SHARD": "3/2", "KAFKA_PARTITIONS": " 12",
                          "WEBSOCKET_ADMIN_PORT": "99999999999999999999"},
    "persistence-service": {"PERSISTENCE_PORT": "0x50", "BATCH_MAX": "501",
                            "KAFKA_BROKERS": "x", "MYSQL_PORT": "12a", "LOG_LEVEL": "loud"},
}


@pytest.mark.parametrize("service", SERVICES)
def test_check_names_all_bad_values_at_once(service: str, stack: Stack):
    done = run(stack, service, "--check", **BAD_SETTINGS[service])
    assert done.returncode == 100
    said = done.stdout + done.stderr
    for name in BAD_SETTINGS[service]:
        assert name in said, f"{name} is not named in: {said}"


# Values of the right kind and length that can never work.
NEVER_WORK = [
    ("MYSQL_HOST", "db:3306"), ("MYSQL_HOST", "mysql://db"), ("MYSQL_PASSWORD_FILE", "{empty}"),
    ("MYSQL_PASSWORD_FILE", "{windows}"), ("REDIS_HOST", "redis://redis:6379"),
    ("REDIS_HOST", "redis:6379"), ("REDIS_PASSWORD_FILE", "{empty}"),
    ("KAFKA_BROKERS", "kafka:9092;kafka:9093"), ("KAFKA_BROKERS", "kafka:0"),
    ("KAFKA_TOPIC_SAVE", "message save"), ("KAFKA_TOPIC_EVENTS", "message_save"),
    ("KAFKA_TOPIC_DLQ", "message_events"), ("IDENTITY_URL", "127.0.0.1:8081"),
    ("IDENTITY_URL", "http://127.0.0.1:8081/"), ("IDENTITY_URL", "http://a@127.0.0.1:8081"),
    ("BIND_ADDRESS", "localhost"), ("BIND_ADDRESS", "127.0.0.1:8081"),
    ("IDENTITY_PORT", "9081"), ("WEBSOCKET_PORT", "9082"), ("PERSISTENCE_PORT", "9083"),
    ("WEBSOCKET_ORIGINS", "*"), ("WEBSOCKET_ORIGINS", "https://chat.example/"),
    ("WEBSOCKET_ORIGINS", "chat.example"), ("WEBSOCKET_ORIGINS", "null"),
    ("WEBSOCKET_ORIGINS", "https://*.example"), ("WEBSOCKET_ORIGINS", "https://a.example:443"),
    ("WEBSOCKET_ORIGINS", "wss://chat.example/ws"), ("EVENTS_SHARD", "0/13"),
    ("WEBSOCKET_SILENT_S", "25"), ("IDENTITY_ISSUER", "par\nley"),
    ("IDENTITY_KEY_SECRET", "short"), ("IDENTITY_KEY_SECRET_FILE", "{empty}"),
]
# What has no default.
NEEDED = {"IDENTITY_KEY_SECRET": "a secret of at least 32 characters"}


@pytest.mark.parametrize("name, value", NEVER_WORK)
def test_check_names_a_setting_that_can_never_work(name: str, value: str, stack: Stack,
                                                   tmp_path: Path):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "windows").write_bytes(b"secret\r\n")
    value = value.format(empty=tmp_path / "empty", windows=tmp_path / "windows")
    readers = [service for service in SERVICES
               if re.search(rf"\b{name.removesuffix('_FILE')}\b", settings_source(service))]
    assert readers
    for service in readers:
        for wrong, code in (({}, 0), ({name: value}, 100)):
            needed = {} if "IDENTITY_KEY_SECRET_FILE" in wrong else NEEDED
            done = run(stack, service, "--check", **(needed | wrong))
            assert done.returncode == code, done.stderr
        assert name in done.stderr
        assert len(done.stderr.splitlines()) == 2, done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_with_bad_settings_does_not_start(service: str, stack: Stack):
    done = run(stack, service, **BAD_SETTINGS[service])
    assert done.returncode == 100
    for name in BAD_SETTINGS[service]:
        assert name in done.stdout + done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_option_is_refused(service: str, stack: Stack):
    assert run(stack, service, "--nonsense").returncode == 100


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_answers_health_and_readiness(service: str, stack: Stack, api: Api):
    for path in ("/healthz", "/readyz"):
        answer = httpx.get(stack.admin_url(service) + path, trust_env=False)
        assert answer.status_code == 200, answer.text
    assert httpx.get(stack.admin_url(service) + "/nothing", trust_env=False).status_code == 404


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_are_prometheus_text(service: str, stack: Stack, api: Api):
    answer = httpx.get(stack.admin_url(service) + "/metrics", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = list(text_string_to_metric_families(answer.text))
    assert len(families) >= 5
    names = [family.name for family in families]
    assert len(names) == len(set(names)), "a metric family occurs twice"
    for family in families:
        assert family.documentation, family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name
        for sample in family.samples:
            assert sample.value == sample.value, f"{sample.name} is NaN"
        if family.type == "histogram":
            buckets = [sample for sample in family.samples if sample.name.endswith("_bucket")]
            values = [sample.value for sample in buckets]
            assert values == sorted(values), family.name
            assert buckets[-1].labels["le"] == "+Inf"


def test_metrics_count_messages(stack: Stack, alice: Person, bob: Person, enter):
    """A counter of each service rises with each message."""
    def totals() -> dict[str, dict[str, float]]:
        found = {}
        for service in ("websocket-service", "persistence-service"):
            text = httpx.get(stack.admin_url(service) + "/metrics", trust_env=False).text
            found[service] = {sample.name + str(sample.labels): sample.value
                              for family in text_string_to_metric_families(text)
                              if family.type in ("counter", "histogram")
                              for sample in family.samples
                              if sample.name.startswith("parley_")}
        return found

    socket = enter(alice)
    before = totals()
    for number in range(10):
        socket.saved(socket.say(bob.id, f"count me {number}"))
    after = totals()
    for service, counters in after.items():
        rose = [name for name, value in counters.items()
                if value >= before[service].get(name, 0) + 10]
        assert rose, f"{service}: no counter rose by ten messages"


# --- logs ----------------------------------------------------------------------------
@pytest.mark.alone
def test_logs_are_json_and_hold_no_secrets(stack: Stack, api: Api, enter):
    """Secrets and texts are in no log."""
    password, text = "canary-password-7f3a", "canary-text-91bc"
    person = api.register(password=password)
    api.login(person.name, password)
    api.http.post("/auth/login", json={"name": person.name, "password": password + "wrong"})
    api.http.post("/auth/register", json={"name": person.name, "password": password})
    api.http.get(f"/auth/status?token={person.token}")
    api.http.post("/auth/login", content=f'{{"password":"{password}"', headers={
        "Content-Type": "application/json"})
    with enter(person) as socket:
        socket.saved(socket.say(person.id, text))
        socket.send('{"uuid":"' + text)
        socket.error()
        socket.send(f'{{"uuid":"x","message":"{text}"}}')
        socket.error()
    signature = person.token.rsplit(".", 1)[1]
    marker = new_marker(stack)
    for path in stack.log_files():
        content = path.read_text("utf-8", "replace")
        for secret in (password, text, person.token, signature[:40],
                       stack.secret("mysql"), stack.secret("redis")):
            assert secret not in content, f"{secret[:20]} is in {path.name}"
    for service in SERVICES:
        lines = stack.log_text(service).splitlines()
        assert lines, service
        for line in lines:
            entry = json.loads(line)
            assert {"time", "service", "level", "event"} <= set(entry), line
            assert entry["service"] == service
            assert entry["level"] in ("debug", "info", "warn", "error")
            assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", entry["event"]), line
    assert marker


def new_marker(stack: Stack) -> bool:
    """Waits for a warning written after everything else: the logs are complete."""
    before = stack.log_text("websocket-service").count("upgrade.")
    httpx.get(f"{stack.url}/ws", trust_env=False, headers={
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==", "Authorization": "Bearer a.b.c"})
    return until("the logs are written",
                 lambda: stack.log_text("websocket-service").count("upgrade.") > before)


def test_process_arguments_hold_no_secrets(stack: Stack, api: Api):
    for service in SERVICES:
        folder = f"/proc/{stack.pid(service)}"
        shown = open(f"{folder}/cmdline", "rb").read() + open(f"{folder}/environ", "rb").read()
        for name in ("mysql", "redis"):
            assert stack.secret(name).encode() not in shown, service


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("limit", [16, 32, 64, 127])
def test_too_low_a_limit_on_open_files_is_named(service: str, limit: int, stack: Stack):
    """Without descriptors the libraries abort: a service says why it does not start."""
    done = subprocess.run([stack.binary(service)], env=environment(stack), text=True,
                          capture_output=True, timeout=HANG_S, stdin=subprocess.DEVNULL,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                                (limit, limit)))
    assert done.returncode == 111, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert (said["event"], said["limit"]) == ("service.few_descriptors", limit)


def open_files(pid: int | str) -> tuple[int, int]:
    """The soft and the hard limit."""
    limits = Path(f"/proc/{pid}/limits").read_text()
    soft, hard = re.search(r"^Max open files +(\d+) +(\d+)", limits, re.MULTILINE).groups()
    return int(soft), int(hard)


@pytest.mark.parametrize("sockets", [1, 1000, 1000000])
def test_a_gateway_may_open_no_more_files_than_it_needs(sockets: int, stack: Stack, api: Api):
    """The time to open or close a socket grows with this limit."""
    with Service(stack, "websocket-service", WEBSOCKET_CONNECTIONS_MAX=str(sockets)) as gateway:
        soft, hard = open_files(gateway.child.pid)
        assert hard == open_files("self")[1]
        assert soft == min(hard, sockets + 1024 + 1024)  # refused ones, and all else


# --- a second process of each service ------------------------------------------------
@pytest.mark.parametrize("service", SERVICES)
def test_sigterm_ends_a_service_cleanly(service: str, stack: Stack, api: Api):
    with Service(stack, service) as more:
        assert more.stop() == 0, more.log()[-2000:]
        assert not more.events("service.drain_cut")
        assert httpx_refused(more.admin_port)


def httpx_refused(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False, timeout=HANG_S)
    except httpx.ConnectError:
        return True
    return False


MISSING = {
    "identity-service": {"MYSQL_PORT": "1"},
    "websocket-service": {"KAFKA_BROKERS": "127.0.0.1:1"},
    "persistence-service": {"MYSQL_PORT": "1"},
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_waits_for_a_missing_dependency(service: str, stack: Stack, api: Api):
    more = Service(stack, service, **MISSING[service]).start()
    try:
        base = f"http://127.0.0.1:{more.admin_port}"

        def asked():
            return httpx.get(f"{base}/readyz", trust_env=False, timeout=HANG_S)

        until("the service answers", asked)
        for _ in range(10):  # not ready, but alive
            assert asked().status_code == 503
            assert httpx.get(f"{base}/healthz", trust_env=False, timeout=HANG_S).status_code == 200
        assert more.child.poll() is None
        assert more.stop() == 0
    finally:
        if more.child.poll() is None:
            more.child.kill()


@pytest.mark.parametrize("service,database", [("identity-service", "identity"),
                                              ("persistence-service", "chat")])
def test_a_service_does_not_touch_a_newer_schema(service: str, database: str, stack: Stack,
                                                 api: Api):
    rows(stack, "INSERT INTO schema_version (version) VALUES (99)", name=database)
    more = Service(stack, service)
    try:
        more.start()
        until("the log names the schema version", lambda: "schema version 99" in more.log())
        # The service tries again at least every two seconds.
        for _ in range(20):
            assert httpx.get(f"http://127.0.0.1:{more.admin_port}/readyz", trust_env=False,
                             timeout=HANG_S).status_code == 503
            time.sleep(0.2)
        rows(stack, "DELETE FROM schema_version WHERE version = 99", name=database)
        more.ready()
        assert more.stop() == 0
    finally:
        rows(stack, "DELETE FROM schema_version WHERE version = 99", name=database)
        if more.child and more.child.poll() is None:
            more.child.kill()


@pytest.mark.parametrize("service", SERVICES)
def test_the_log_names_a_port_in_use(service: str, stack: Stack, api: Api):
    prefix = service.removesuffix("-service").upper()
    port = str(stack.port(f"{prefix}_ADMIN_PORT"))
    more = Service(stack, service, **{f"{prefix}_ADMIN_PORT": port}).start()
    try:
        assert more.child.wait(timeout=HANG_S) == 111
    finally:
        if more.child.poll() is None:
            more.child.kill()
    assert port in more.log(), more.log()[-1000:]


@pytest.mark.parametrize("service", SERVICES)
def test_a_second_sigterm_changes_nothing(service: str, stack: Stack, api: Api):
    with Service(stack, service) as more:
        more.child.send_signal(signal.SIGTERM)
        try:
            more.child.send_signal(signal.SIGTERM)
        except ProcessLookupError:
            pass
        assert more.child.wait(timeout=HANG_S) == 0
