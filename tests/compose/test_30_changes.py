"""Restarts and scaling lose no message; the ledger judges."""

from containers.project import Project
from containers.reconnecting_users import ReconnectingUsers
from support.api import Api
from support.load import Load
from support.stack import SERVICES
from test_20_scale import SCALED, scale

GOING_AWAY = 1001
WATCHERS = 9
SERVERS = ("nginx", "redis", "kafka", "mariadb")
VERDICT_S = 1500  # a bound on hanging
UPGRADE_ORDER = ("identity-service", "persistence-service", "websocket-service")
LEDGER = {"users": 40, "sockets": 2, "rate": 100, "seconds": 3600, "drain": 600}


def restart(project: Project, name: str) -> None:
    project.compose("restart", name)


def upgrade(project: Project, name: str) -> None:
    """Upgrades as docs/operations.md describes, but without a new image."""
    count = SCALED[name]
    project.up("--no-deps", "--force-recreate", "--scale", f"{name}={count}", name)
    project.wait_healthy(name, count)


def check_all_reconnect(people: ReconnectingUsers, what: str) -> None:
    returns = people.reconnects()
    if returns:
        print(f"{what}: {len(returns)} of {len(people.all)} closed, reconnected after at most "
              f"{max(each.away_s for each in returns):.1f} s", flush=True)
    assert all(each.back for each in returns), returns
    # A user who reconnects to a gateway that restarts later reconnects twice.
    assert what != f"restart of {SERVICES[1]}" or len(returns) >= WATCHERS
    # A gateway sends a close code; nginx only ends the connection.
    assert all(each.code == GOING_AWAY or what == "restart of nginx" for each in returns), returns


def test_restarts_and_scaling_lose_nothing(project: Project, api: Api) -> None:
    scale(project)
    changes = [(f"restart of {name}", restart, {"name": name}) for name in SERVICES + SERVERS]
    changes += [(f"{count} gateways", scale, {"websocket_service": count}) for count in (1, 3)]
    changes += [(f"upgrade of {name}", upgrade, {"name": name}) for name in UPGRADE_ORDER]
    with ReconnectingUsers(api, project.ws_url, WATCHERS) as people, \
            Load(project, **LEDGER) as ledger:
        ledger.wait_sending()
        for what, change, options in changes:
            change(project, **options)
            project.wait_ready()
            check_all_reconnect(people, what)
            # Some messages through the new containers.
            ledger.wait_sent(300)
        ledger.stop_sending()
        verdict = ledger.assert_clean(VERDICT_S)
    print(f"accepted {verdict['accepted']}, all saved once and received once", flush=True)
