"""More containers, and fewer: nginx finds the new and forgets the dead, people notice nothing."""

import time
from collections import Counter

from containers.project import Container, Project
from containers.watcher import Watchers
from support.api import Api
from support.chat import open_socket
from support.wait import until

SCALED = {"websocket-service": 3, "persistence-service": 2, "identity-service": 2}
CHANGE_S = 10  # promised: by then nginx knows
EACH = 8


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
    """Sockets by gateway, once there are `count` in all."""
    until(f"{count} sockets", lambda: sum(spread(project).values()) == count)
    return spread(project)


def in_nginx_log(project: Project, address: str) -> int:
    return project.logs("nginx").count(f'"{address}:')


def test_everybody_reaches_everybody_on_three_gateways(project: Project) -> None:
    scale(project)
    time.sleep(CHANGE_S)
    api = Api(project.url)
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


def test_each_persistence_has_its_share_of_the_partitions(project: Project) -> None:
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


def test_a_new_gateway_gets_sockets(project: Project, api: Api) -> None:
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


def test_a_dead_gateway_is_forgotten(project: Project, api: Api) -> None:
    scale(project)
    dead: Container = project.running("websocket-service")[0]
    address = project.address(dead)
    with Watchers(api, project.ws_url, EACH) as people:
        assert project.sockets(dead) > 0
        project.engine.docker("kill", dead.id)
        killed_at = time.monotonic()
        # Whoever was there is somewhere else, long before it is forgotten.
        returns = until("people come back", people.returns)
        assert all(each.away_s < CHANGE_S for each in returns), returns
        time.sleep(max(0.0, killed_at + CHANGE_S - time.monotonic()))
        asked = in_nginx_log(project, address)
        with Watchers(api, project.ws_url, EACH):
            pass
        assert in_nginx_log(project, address) == asked, "nginx still asks the dead one"
    project.engine.docker("rm", "-f", dead.id)
    print(f"{len(returns)} left a dead gateway, away for at most "
          f"{max(each.away_s for each in returns):.1f} s", flush=True)


def test_a_dead_identity_and_a_dead_persistence_are_forgotten(project: Project, api: Api) -> None:
    """Before they are, a request may fail in a way that asks to try again."""
    scale(project)
    person = api.register()
    for name, path in (("identity-service", "/auth/getIdByToken"),
                       ("persistence-service", "/conversations")):
        dead = project.running(name)[0]
        project.engine.docker("kill", dead.id)
        forgotten_at = time.monotonic() + CHANGE_S
        for _ in range(100):
            asked_at = time.monotonic()
            answer = api.http.get(path, headers=person.bearer)
            if asked_at >= forgotten_at:
                break
            if answer.status_code != 200:
                assert answer.status_code in (502, 503, 504)
                assert int(answer.headers["Retry-After"]) >= 1
            time.sleep(0.2)
        assert asked_at >= forgotten_at
        for _ in range(20):
            answer = api.http.get(path, headers=person.bearer)
            assert answer.status_code == 200, answer.text
        project.engine.docker("rm", "-f", dead.id)
