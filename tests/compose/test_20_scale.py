"""More and fewer containers: nginx finds new ones and drops dead ones; users are not affected."""

import time
from collections import Counter

import httpx

from containers.project import Container, Project
from containers.reconnecting_users import ReconnectingUsers
from support.api import Api
from support.chat import open_socket
from support.wait import until

SCALED = {"websocket-service": 3, "persistence-service": 2, "identity-service": 2}
CHANGE_S = 300  # a bound on hanging; docs/operations.md names 10 s
EACH = 8
IN_A_ROW = 20  # requests
FAIL_TIMEOUT_S = 1  # deploy/nginx/parley.conf.template
# So that the requests in a row take longer than nginx's pause after a failure. On a machine of
# any speed they stay below the limit of one user (PERSISTENCE_USER_RATE).
PACE_S = 3 * FAIL_TIMEOUT_S / IN_A_ROW


def scale(project: Project, **counts: int) -> None:
    wanted = SCALED | {name.replace("_", "-"): count for name, count in counts.items()}
    words = [word for name, count in wanted.items() for word in ("--scale", f"{name}={count}")]
    project.up(*words)
    for name, count in wanted.items():
        project.wait_healthy(name, count)


def spread(project: Project) -> Counter:
    return Counter({one.name: project.sockets(one)
                    for one in project.running("websocket-service")})


def wait_spread(project: Project, count: int) -> Counter:
    """The sockets of each gateway, when there are `count` in total."""
    until(f"{count} sockets", lambda: sum(spread(project).values()) == count, CHANGE_S)
    return spread(project)


def in_nginx_log(project: Project, address: str) -> int:
    return project.logs("nginx").count(f'"{address}:')


def wait_known(project: Project, api: Api) -> None:
    """Waits until nginx gives sockets to every running gateway."""
    person, sockets = api.register(), []

    def known() -> bool:
        sockets.append(open_socket(project.ws_url, person))
        return all(spread(project).values())

    try:
        until("nginx sends sockets to every gateway", known, CHANGE_S)
    finally:
        for socket in sockets:
            socket.close()
    wait_spread(project, 0)


def test_users_on_three_gateways_reach_each_other(project: Project) -> None:
    scale(project)
    api = Api(project.url)
    wait_known(project, api)
    people = [api.register() for _ in range(6)]
    sockets = [open_socket(project.ws_url, one) for one in people]
    try:
        assert sorted(wait_spread(project, 6).values()) == [2, 2, 2], "least connections"
        for sender, socket in zip(people, sockets):
            for receiver, other in zip(people, sockets):
                if sender is receiver:
                    continue
                uuid = socket.say(receiver.id, f"{sender.id} to {receiver.id}")
                socket.saved(uuid)
                came = other.expect(type="message", uuid=uuid)
                assert came["user_from"] == sender.id
    finally:
        for socket in sockets:
            socket.close()
        api.close()


def test_each_persistence_reads_its_share_of_the_partitions(project: Project) -> None:
    def shares() -> list[int]:
        return [int(project.metric(one, "parley_batches_total"))
                for one in project.running("persistence-service")]

    scale(project)
    api = Api(project.url)
    people = [api.register() for _ in range(8)]
    sockets = [open_socket(project.ws_url, one) for one in people]
    try:
        before = shares()
        for sender, socket in zip(people, sockets):
            for receiver in people:
                socket.saved(socket.say(receiver.id, "for a partition"))
        after = shares()
    finally:
        for socket in sockets:
            socket.close()
        api.close()
    assert len(after) == 2 and all(new > old for old, new in zip(before, after))


def test_a_new_gateway_receives_sockets(project: Project, api: Api) -> None:
    scale(project)
    before = {one.id for one in project.running("websocket-service")}
    scale(project, websocket_service=4)
    new, = (one for one in project.running("websocket-service") if one.id not in before)
    healthy_at = time.monotonic()
    person = api.register()
    sockets = []

    def found() -> bool:
        sockets.append(open_socket(project.ws_url, person))
        return project.sockets(new) > 0

    try:
        until("the new gateway has a socket", found, CHANGE_S)
    finally:
        for socket in sockets:
            socket.close()
    print(f"nginx found a new gateway after {time.monotonic() - healthy_at:.1f} s", flush=True)


def test_nginx_drops_a_dead_gateway(project: Project, api: Api) -> None:
    scale(project)
    dead: Container = project.running("websocket-service")[0]
    address = project.address(dead)
    with ReconnectingUsers(api, project.ws_url, EACH) as people:
        assert project.sockets(dead) > 0
        project.engine.docker("kill", dead.id)
        killed_at = time.monotonic()
        returns = until("users reconnect", people.reconnects, CHANGE_S)
        assert all(each.back for each in returns), returns

        def dropped() -> bool:
            asked = in_nginx_log(project, address)
            with ReconnectingUsers(api, project.ws_url, EACH):
                pass
            return in_nginx_log(project, address) == asked

        until("nginx sends no requests to the dead gateway", dropped, CHANGE_S)
        assert dropped(), "nginx sent a request to the dead gateway"
        print(f"{len(returns)} users left a dead gateway, disconnected for at most "
              f"{max(each.away_s for each in returns):.1f} s; dropped after "
              f"{time.monotonic() - killed_at:.1f} s", flush=True)
    project.engine.docker("rm", "-f", dead.id)


def test_nginx_drops_a_dead_identity_and_a_dead_persistence(project: Project, api: Api) -> None:
    """Before nginx drops them, a request may fail with an answer that has Retry-After."""
    scale(project)
    person = api.register()
    for name, path in (("identity-service", "/auth/getIdByToken"),
                       ("persistence-service", "/conversations")):
        dead = project.running(name)[0]
        address = project.address(dead)
        project.engine.docker("kill", dead.id)
        failures: list[httpx.Response] = []

        def dropped() -> bool:
            """The service answers some requests in a row, and nginx sends none to the dead one."""
            asked = in_nginx_log(project, address)
            answers = []
            for _ in range(IN_A_ROW):
                answers.append(api.http.get(path, headers=person.bearer))
                time.sleep(PACE_S)
            failed = [one for one in answers if one.status_code != 200]
            failures.extend(failed)
            for answer in failures:
                assert answer.status_code in (502, 503, 504), answer.text
                assert int(answer.headers["Retry-After"]) >= 1
            return in_nginx_log(project, address) == asked and not failed

        until(f"nginx sends no requests to the dead {name}", dropped, CHANGE_S)
        assert dropped(), f"nginx sent a request to the dead {name}"
        project.engine.docker("rm", "-f", dead.id)
