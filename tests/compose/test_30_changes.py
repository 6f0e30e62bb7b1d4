"""Nothing is lost while it changes: restarts and scaling below the ledger."""

from support.load import Load
from containers.project import Project
from containers.watcher import Watchers
from support.api import Api
from support.stack import SERVICES
from test_20_scale import SCALED, scale

GOING_AWAY = 1001
BACK_S = 10  # promised
WATCHERS = 9
SERVERS = ("nginx", "redis", "kafka", "mariadb")
UPGRADE_ORDER = ("identity-service", "persistence-service", "websocket-service")
LEDGER = {"users": 40, "sockets": 2, "rate": 100, "seconds": 600, "drain": 120}


def restart(project: Project, name: str) -> None:
    project.compose("restart", name)


def upgrade(project: Project, name: str) -> None:
    """What docs/operations.md says, but for the new image."""
    count = SCALED[name]
    project.up("--no-deps", "--force-recreate", "--scale", f"{name}={count}", name)
    project.wait_healthy(name, count)


def all_come_back(people: Watchers, what: str) -> None:
    returns = people.returns()
    if returns:
        print(f"{what}: {len(returns)} of {len(people.all)} closed, back after at most "
              f"{max(each.away_s for each in returns):.1f} s", flush=True)
    assert all(each.away_s < BACK_S for each in returns), returns
    # Who came back to a gateway that had its turn later came back twice.
    assert what != f"restart of {SERVICES[1]}" or len(returns) >= WATCHERS
    # A gateway says why; an nginx that ends just ends.
    assert all(each.code == GOING_AWAY or what == "restart of nginx" for each in returns), returns


def test_restarts_and_scaling_lose_nothing(project: Project, api: Api) -> None:
    scale(project)
    changes = [(f"restart of {name}", restart, {"name": name}) for name in SERVICES + SERVERS]
    changes += [(f"{count} gateways", scale, {"websocket_service": count}) for count in (1, 3)]
    changes += [(f"upgrade of {name}", upgrade, {"name": name}) for name in UPGRADE_ORDER]
    with Watchers(api, project.ws_url, WATCHERS) as people, \
            Load(project, **LEDGER) as ledger:
        ledger.wait_sending()
        for what, change, options in changes:
            change(project, **options)
            project.wait_ready()
            all_come_back(people, what)
            # Some of it on what is new now.
            ledger.wait_sent(300)
        ledger.stop_sending()
        verdict = ledger.assert_clean(300)
    print(f"accepted {verdict['accepted']}, all saved once and received once", flush=True)
