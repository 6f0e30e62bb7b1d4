"""`docker compose up` in a fresh clone: users chat, and images hold nothing superfluous."""

import json
import subprocess

import httpx

from containers.project import PASSWORDS, Project
from support.stack import SERVICES
from support.wait import until

ONE_SHOTS = {"secrets", "topics"}
ALWAYS = {*SERVICES, "nginx", "mariadb", "redis", "kafka"}
IMAGE_MAX_BYTES = 120 * 1000 * 1000
BUILD_TOOLS = ("gcc", "g++", "clang", "make", "pkg-config")
PASSWORD = "correct horse 1"
WAIT_S = 600  # a bound on hanging


def client(project: Project, *words: str) -> subprocess.CompletedProcess:
    return project.compose("run", "--rm", "-T", "client-test", *words, check=False)


def test_all_containers_are_healthy(project: Project) -> None:
    found = {one.service: one for one in project.containers()}
    assert found.keys() == ALWAYS | ONE_SHOTS
    for name in ALWAYS:
        project.wait_healthy(name, 1)
    for name in ONE_SHOTS:
        assert (found[name].state, found[name].exit_code) == ("exited", 0), found[name]


def test_the_acceptance_run_passes_from_a_container(project: Project) -> None:
    done = client(project, "accept")
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_containers_chat(project: Project) -> None:
    listening = ("run", "--rm", "-T", "client-test", "listen", "--name", "bob", "--password",
                 PASSWORD, "--count", "2")
    with project.start(*listening, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL) as bob:
        try:
            for text in ("hello from a box", "and again"):
                # A message to bob fails until bob has signed up.
                def sent() -> bool:
                    done = client(project, "send", "--name", "alice", "--password", PASSWORD,
                                  "--to", "bob", text)
                    assert done.returncode == 0, done.stdout + done.stderr
                    return True

                until("the message is sent", sent, WAIT_S)
            output, errors = bob.communicate(timeout=WAIT_S)
        finally:
            bob.kill()
    assert bob.returncode == 0, errors
    assert "hello from a box" in output and "and again" in output


def test_nginx_has_the_pages(project: Project) -> None:
    with httpx.Client(base_url=project.url, trust_env=False) as http:
        paper = http.get("/docs/openapi.yaml")
        assert paper.content == (project.tree / "docs/protocol/openapi.yaml").read_bytes()
        assert paper.headers["Content-Encoding"] == "gzip"
        assert paper.headers["Cache-Control"] == "no-cache"


def test_only_nginx_is_published(project: Project) -> None:
    for one in project.running():
        ports = project.inspect(one)["NetworkSettings"]["Ports"] or {}
        published = [f"{at['HostIp']}:{at['HostPort']}" for each in ports.values()
                     for at in each or []]
        assert published == ([f"127.0.0.1:{project.port}"] if one.service == "nginx" else [])


def test_adminer_shows_a_page_for_the_database(project: Project) -> None:
    project.up("adminer")
    try:
        page = f"http://127.0.0.1:{project.adminer_port}/"
        text = until("Adminer answers", lambda: httpx.get(page, trust_env=False).text, WAIT_S)
        assert "Adminer" in text and 'name="auth[password]"' in text
    finally:
        project.compose("rm", "--stop", "--force", "adminer")


# --- how they run ------------------------------------------------------------------
def test_containers_have_few_privileges(project: Project) -> None:
    for one in project.running(*SERVICES):
        found = project.inspect(one)
        host, config = found["HostConfig"], found["Config"]
        assert host["ReadonlyRootfs"], one
        assert host["CapDrop"] == ["ALL"] and not host["CapAdd"], one
        assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"]), one
        assert host["Init"] and not host["Privileged"], one
        assert host["Memory"] > 0, one
        limits = {limit["Name"]: limit for limit in host["Ulimits"]}
        assert limits["nofile"]["Hard"] == int(project.changes["PARLEY_OPEN_FILES"]), one
        assert host["RestartPolicy"]["Name"] == "unless-stopped", one
        assert config["StopTimeout"] > 10, "must be longer than a drain"
        assert config["Healthcheck"]["Test"] == ["CMD", one.service, "--healthcheck"], one
        # The program is the second process, below init; no process runs as root.
        uids = project.run(one, "sh", "-c", "cat /proc/[0-9]*/status | grep ^Uid").split()
        assert "0" not in uids, one
        assert project.engine.docker("exec", one.id, "touch", "/x", check=False).returncode != 0


def test_no_log_fills_the_disk(project: Project) -> None:
    """Clients decide how many lines nginx writes."""
    for one in project.containers():
        log = project.inspect(one)["HostConfig"]["LogConfig"]
        assert log == {"Type": "json-file", "Config": {"max-size": "50m", "max-file": "2"}}, one


def test_images_hold_only_the_program(built: Project) -> None:
    for name in (*SERVICES, "client-test"):
        image = f"parley/{name}"
        found = json.loads(built.engine.docker("image", "inspect", image).stdout)[0]
        assert found["Size"] <= IMAGE_MAX_BYTES, f"{image} has {found['Size'] / 1e6:.0f} MB"
        assert found["Config"]["User"] == "parley", image
        print(f"{image}: {found['Size'] / 1e6:.0f} MB", flush=True)
        packages = built.engine.docker("run", "--rm", "--entrypoint", "dpkg-query", image, "-W",
                                       "-f", "${Package}\n").stdout.split()
        assert not [one for one in packages if one.endswith("-dev") or one in BUILD_TOOLS], image
        left = built.engine.docker("run", "--rm", "--entrypoint", "find", image, "/var/lib/apt/lists",
                                   "/usr/local", "/tmp", "-type", "f").stdout.split()
        assert left == [f"/usr/local/bin/{name}"], image


# --- secrets -------------------------------------------------------------------------
def passwords(project: Project) -> list[bytes]:
    found = [(project.tree / "deploy/secrets" / name / "password").read_bytes()
             for name in PASSWORDS]
    assert len(set(found)) == len(PASSWORDS) and all(len(one) >= 32 for one in found)
    return found


def assert_none_in(where: str, text: bytes, words: list[bytes]) -> None:
    assert not any(word in text for word in words), f"a password is in {where}"


def test_no_password_is_in_an_image(project: Project) -> None:
    words, keep = passwords(project), 64
    for name in (*SERVICES, "client-test", "base"):
        with subprocess.Popen(["docker", "save", f"parley/{name}"], stdout=subprocess.PIPE,
                              env=project.engine.environment) as saved:
            before, size = b"", 0
            while block := saved.stdout.read(1 << 20):
                size += len(block)
                assert_none_in(f"the image of {name}", before + block, words)
                before = block[-keep:]
        assert saved.returncode == 0 and size > 1 << 20


def test_no_password_is_in_environments_arguments_and_logs(project: Project) -> None:
    words = passwords(project)
    for one in project.containers():
        assert_none_in(f"the engine's data about {one.name}",
                       json.dumps(project.inspect(one)).encode(), words)
    for one in project.running():
        if one.service == "mariadb":  # its image puts root's password into its environment
            words_here = [words[PASSWORDS.index("mysql")]]
        else:
            words_here = words
        seen = project.engine.docker(
            "exec", "-u", "0", one.id, "sh", "-c",
            "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null", check=False).stdout
        assert seen, one
        assert_none_in(f"the processes of {one.name}", seen.encode(), words_here)
    assert_none_in("the logs", project.logs().encode(), words)


def test_only_the_owner_can_read_passwords(project: Project) -> None:
    assert (project.tree / "deploy/secrets").stat().st_mode & 0o077 == 0
