"""turns - no turn of a gateway's event loop, and no step of identity's HTTP thread, may take
long, whatever users do.

The services under test measure the CPU time of each turn, and how long it sleeps in calls that
block, and log those over the limits. Sanitized and unoptimised programs are not measured.
"""

from pathlib import Path

TURN_MAX_MS = 50
MEASURED = ("websocket-service", "identity-service")
EVENT = '"event":"loop.slow_turn"'


def settings(build: str) -> dict[str, str]:
    fast = Path(build).name in ("release", "release-clang")
    limit = str(TURN_MAX_MS if fast else 0)
    return {"WEBSOCKET_TURN_MAX_MS": limit, "IDENTITY_TURN_MAX_MS": limit}


def persistence_settings(build: str) -> dict[str, str]:
    """A persistence-service is measured where a test asks for it."""
    return {"PERSISTENCE_TURN_MAX_MS": settings(build)["WEBSOCKET_TURN_MAX_MS"]}


def check_stack(folder: Path) -> None:
    """The logs of all measured services of a stack that has ended."""
    for service in MEASURED:
        logs = list(folder.glob(f"{service}*.log"))
        assert logs, f"{folder} has no log of {service}"
        check(*logs)


def check(*logs: Path) -> None:
    slow = [line for path in logs for line in
            path.read_text("utf-8", "replace").splitlines() if EVENT in line]
    assert not slow, f"turns of more than {TURN_MAX_MS} ms, or that sleep:\n" + "\n".join(slow[:10])
