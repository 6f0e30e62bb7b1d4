"""A set-up that cannot work names the reason in one clear line."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.project import Project, copy_tree
from support.wait import until

WAIT_S = 600  # a bound on hanging
SMS_SECRET = "an-auth-token-of-the-provider"


@pytest.fixture(scope="module")
def changeable(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    built.down()
    folder = copy_tree(tmp_path_factory.mktemp("changeable"))
    project = Project(built.engine, folder, "parley-changeable")
    yield project
    project.down()


@pytest.fixture
def other(changeable: Project) -> Project:
    """A project that a test may break; all services are ready when the test begins."""
    changeable.up()
    changeable.wait_ready()
    return changeable


def wait_logged(project: Project, service: str, *parts: str) -> str:
    """The line of a service's log that contains all these parts."""
    def line() -> str:
        lines = project.logs(service).splitlines()
        return next((one for one in lines if all(part in one for part in parts)), "")

    return until(f"{service} logs {' … '.join(parts)}", line, WAIT_S)


@pytest.mark.parametrize("name", ["PARLEY_PORT", "IDENTITY_PORT", "WEBSOCKET_ADMIN_PORT",
                                  "KAFKA_PORT", "MYSQL_USER", "KAFKA_PARTITIONS",
                                  "PARLEY_OPEN_FILES", "LOG_LEVEL"])
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_the_error_names_a_bad_variable(built: Project, tmp_path: Path, name: str,
                                        how: str) -> None:
    project = Project(built.engine, copy_tree(tmp_path), "parley-unset")
    project.changes.pop(name, None)
    settings = tmp_path / ".env"
    lines = settings.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(f"{name}=")]
    assert len(kept) == len(lines) - 1
    settings.write_text("\n".join(kept + [f"{name}="] * (how == "empty")) + "\n")
    done = project.compose("up", "-d", check=False)
    assert done.returncode != 0
    assert f"required variable {name} is missing a value" in done.stderr


@pytest.mark.parametrize("name,value,says", [
    ("LOG_LEVEL", "loud", "LOG_LEVEL"),
    ("KAFKA_PARTITIONS", "twelve", "KAFKA_PARTITIONS"),
    ("IDENTITY_PORT", "80810", "IDENTITY_PORT"),
])
def test_the_error_names_an_invalid_value(built: Project, name: str, value: str,
                                          says: str) -> None:
    done = built.compose("run", "--rm", "-T", "--no-deps", "persistence-service"
                         if name != "IDENTITY_PORT" else "identity-service", "--check",
                         check=False, **{name: value})
    assert done.returncode == 100, done
    assert says in done.stdout + done.stderr and value in done.stdout + done.stderr


def test_the_secret_of_the_sms_provider_comes_from_a_file(built: Project) -> None:
    """As docs/operations.md says; whatever the umask of the operator was."""
    secret = built.tree / "deploy/secrets/sms/password"
    named = {"SMS_SECRET_FILE": "/run/secrets/sms/password"}
    settings = {"SMS_PROVIDER": "twilio-messages", "SMS_ACCOUNT": "AC1", "SMS_FROM": "+15017122661"}

    def check(settings: dict[str, str]) -> subprocess.CompletedProcess:
        built.compose("run", "--rm", "-T", "secrets")
        words = [word for name, value in settings.items() for word in ("-e", f"{name}={value}")]
        return built.compose("run", "--rm", "-T", "--no-deps", *words, "identity-service",
                             "--check", check=False)

    for wrong, says in ((settings, "SMS_SECRET is not set"),
                        (settings | named, "SMS_SECRET_FILE names '/run/secrets/sms/password'")):
        done = check(wrong)
        assert done.returncode == 100 and says in done.stdout + done.stderr, done
    try:
        secret.touch(mode=0o600)
        secret.write_text(SMS_SECRET)
        done = check(settings | named)
    finally:
        secret.unlink()
    assert done.returncode == 0 and SMS_SECRET not in done.stdout + done.stderr, done


def test_the_error_names_a_port_in_use(other: Project) -> None:
    other.compose("rm", "--stop", "--force", "nginx")
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", other.port))
        holder.listen()
        done = other.compose("up", "-d", "--no-build", check=False)
    assert done.returncode != 0
    assert str(other.port) in done.stderr and "already" in done.stderr, done.stderr


def test_the_error_names_a_wrong_partition_count(other: Project) -> None:
    done = other.compose("up", "-d", "--no-build", check=False, KAFKA_PARTITIONS="6")
    assert done.returncode != 0
    assert "topics" in done.stderr, done.stderr
    wait_logged(other, "topics", "message_save", "12", "6")


def test_the_error_names_a_wrong_database_password(other: Project) -> None:
    secret = other.tree / "deploy/secrets/mysql/password"
    right = secret.read_text()
    secret.write_text("certainly-not-this-one")
    other.compose("restart", "identity-service")
    wait_logged(other, "identity-service", "dependency.down", "Access denied for user 'parley'")
    until("identity is unhealthy", lambda: other.containers("identity-service")[0].health
          == "unhealthy", WAIT_S)
    assert "certainly-not-this-one" not in other.logs()
    # MariaDB sets the password from the secret when it starts.
    other.compose("restart", "mariadb", "identity-service", "persistence-service")
    other.wait_ready(WAIT_S)
    secret.write_text(right)
    other.compose("restart", "mariadb", "identity-service", "persistence-service")
    other.wait_ready(WAIT_S)


@pytest.mark.parametrize("service,database", [("identity-service", "identity"),
                                              ("persistence-service", "chat")])
def test_the_error_names_a_newer_schema(other: Project, service: str, database: str) -> None:
    def sql(statement: str) -> None:
        mariadb, = other.running("mariadb")
        other.run(mariadb, "sh", "-c", 'mariadb -uroot -p"$(cat /run/secrets/mysql-root/password)" '
                  f'{database} -e "{statement}"')

    sql("INSERT INTO schema_version (version) VALUES (99)")
    other.compose("restart", service)
    wait_logged(other, service, "schema version 99", "too old")
    sql("DELETE FROM schema_version WHERE version = 99")
    other.wait_ready(WAIT_S)
