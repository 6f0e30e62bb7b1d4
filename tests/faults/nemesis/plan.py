"""plan - the begin of each fault, drawn from a seed before the run starts.

The plan has two sequences of lasting faults (so at most two at a time, never both
on one program), and evenly spread kills between them. The same seed and the same
minutes give the same plan on every machine.
"""

import math
import random
from dataclasses import dataclass, field

from nemesis.cluster import GATEWAYS, SAVERS

CALM_S = 20  # without faults, at the end
START_S = 3
KILL_EVERY_S = 3.6
LONG_KILL_EVERY_S = 6.0
# Servers that start slowly and that all services need: with more than one fault in so
# many seconds they would never be up.
EVERY_S = {"kafka": 60, "mariadb": 25}
GAP_S, LONG_GAP_S = (1, 4), (3, 15)  # between two faults of a sequence
SEQUENCES = 2
STOP_MAX_S = 60
SHORT_STOP_MAX_S = 12  # in a run that is too short for more
LONG_RUN_S = 240
ZOMBIE_S = 15  # longer than the consumer group waits for a member
TRIES = 40

KILLED = {"gateway-1": 2, "gateway-2": 2, "gateway-3": 2, "persistence-1": 2,
          "persistence-2": 2, "identity": 2, "mariadb": 2, "kafka": 1, "redis": 1, "nginx": 1}
SERVICES = (*GATEWAYS, *SAVERS, "identity")
LINKS = tuple([f"{name}.{server}" for name in GATEWAYS
               for server in ("client", "kafka", "redis", "identity")]
              + [f"{name}.{server}" for name in SAVERS
                 for server in ("kafka", "mysql", "identity")] + ["identity.mysql"])
# The weight of each kind, and how long it lasts at most, in seconds.
KINDS = {
    "stop": (5, STOP_MAX_S), "term": (3, 1), "away": (3, 15), "flushall": (2, 1),
    "cut": (3, 20), "blackhole": (3, 30), "slow": (4, 30), "narrow": (1, 20),
    "slices": (1, 20), "close_after": (2, 15), "disk": (2, 12), "jump": (3, 20),
    "strobe": (2, 20),
}
CLOCK_JUMP_S = 3600
STROBE_S = 2


@dataclass(order=True)
class Fault:
    at_s: float
    kind: str = field(compare=False)
    target: str = field(compare=False)
    lasts_s: float = field(compare=False, default=0.0)
    how: dict = field(compare=False, default_factory=dict)

    @property
    def ends_s(self) -> float:
        return self.at_s + self.lasts_s

    @property
    def program(self) -> str:
        """No other fault may hit this program during this one."""
        return "mariadb" if self.kind == "disk" else self.target.split(".")[0]

    def __str__(self) -> str:
        lasts = f" for {self.lasts_s:.1f} s" if self.lasts_s else ""
        how = "".join(f" {name}={value}" for name, value in self.how.items())
        return f"{self.at_s:7.1f} s  {self.kind:<11} {self.target}{how}{lasts}"


def make(seed: int, minutes: float) -> list[Fault]:
    draw = random.Random(f"{seed}/{minutes}")
    end_s = minutes * 60 - CALM_S
    if end_s < START_S + ZOMBIE_S:
        return []
    faults = [Fault(round(draw.uniform(START_S, end_s - ZOMBIE_S), 1), "stop",
                    draw.choice(SAVERS), ZOMBIE_S)]
    faults += [Fault(round(draw.uniform(START_S, end_s - START_S), 1), "kill", server)
               for server in EVERY_S]
    for sequence in range(SEQUENCES):
        faults += windows(draw, sequence, end_s, list(faults))
    return sorted(faults + kills(draw, end_s, faults))


# --- faults that last ---------------------------------------------------------
def windows(draw: random.Random, sequence: int, end_s: float, others: list[Fault]) -> list[Fault]:
    found: list[Fault] = []
    at = START_S + draw.uniform(0, 4) + 3 * sequence
    while at < end_s - 2:
        fault = one_window(draw, at, end_s, others + found)
        if fault:
            found.append(fault)
            at = fault.ends_s
        at += draw.uniform(*(GAP_S if end_s < LONG_RUN_S else LONG_GAP_S))
    return found


def one_window(draw: random.Random, at: float, end_s: float,
               others: list[Fault]) -> Fault | None:
    for _ in range(TRIES):
        kind = draw.choices(list(KINDS), [often for often, _ in KINDS.values()])[0]
        longest = KINDS[kind][1]
        if kind == "stop" and end_s < LONG_RUN_S:
            longest = SHORT_STOP_MAX_S
        lasts = 0.0 if longest == 1 else math.exp(draw.uniform(0, math.log(longest)))
        fault = Fault(round(at, 1), kind, target_of(draw, kind), round(lasts, 1),
                      how_of(draw, kind))
        if fault.ends_s <= end_s and crowd(fault, others) < SEQUENCES \
                and not any(clash(fault, other) for other in others):
            return fault
    return None


def clash(fault: Fault, other: Fault) -> bool:
    return meets(fault, other) or too_soon(fault, other) \
        or (other.kind == "kill" and gone(other, fault))


def target_of(draw: random.Random, kind: str) -> str:
    match kind:
        case "stop":
            return draw.choice((*SERVICES, *SAVERS, "kafka", "mariadb", "redis"))
        case "term":
            return draw.choice((*SERVICES, "kafka", "mariadb", "redis", "nginx"))
        case "away":
            return draw.choice(("kafka", "mariadb", "mariadb", "redis"))
        case "flushall":
            return "redis"
        case "disk":
            return "mariadb"
        case "jump" | "strobe":
            return draw.choice(SERVICES)
        case _:
            return draw.choice(LINKS)


def how_of(draw: random.Random, kind: str) -> dict:
    match kind:
        case "slow":
            return {"delay_ms": draw.choice((5, 50, 300, 1500)),
                    "jitter_ms": draw.choice((0, 20, 500))}
        case "narrow":
            return {"kib_s": draw.choice((16, 64, 256))}
        case "slices":
            return {"slice_bytes": draw.choice((1, 7, 100))}
        case "close_after":
            return {"close_after": draw.choice((1, 100, 5000, 100000))}
        case "jump":
            return {"by_s": draw.choice((-CLOCK_JUMP_S, CLOCK_JUMP_S))}
        case "strobe":
            return {"by_s": STROBE_S}
        case _:
            return {}


def meets(one: Fault, two: Fault, apart_s: float = 1.0) -> bool:
    """Whether both hit the same program at the same time."""
    return one.program == two.program and one.at_s < two.ends_s + apart_s \
        and two.at_s < one.ends_s + apart_s


def too_soon(one: Fault, two: Fault) -> bool:
    return one.target == two.target and one.target in EVERY_S \
        and one.at_s < two.ends_s + EVERY_S[one.target] \
        and two.at_s < one.ends_s + EVERY_S[one.target]


def crowd(fault: Fault, others: list[Fault]) -> int:
    """The number of other faults that last at the same time."""
    return sum(1 for other in others
               if other.lasts_s and fault.at_s < other.ends_s and other.at_s < fault.ends_s)


# --- kills -----------------------------------------------------------------------
def kills(draw: random.Random, end_s: float, faults: list[Fault]) -> list[Fault]:
    """One in each slot of time: first each program once, then by chance."""
    found: list[Fault] = []
    first = list(KILLED)
    draw.shuffle(first)
    every_s = KILL_EVERY_S if end_s < LONG_RUN_S else LONG_KILL_EVERY_S
    for slot in range(int((end_s - START_S) / every_s)):
        at = round(START_S + (slot + draw.uniform(0.1, 0.9)) * every_s, 1)
        for target in first + draw.choices(list(KILLED), KILLED.values(), k=TRIES):
            fault = Fault(at, "kill", target)
            if not any(gone(fault, other) or too_soon(fault, other)
                       for other in faults + found):
                found.append(fault)
                first = [name for name in first if name != target]
                break
    return found


def gone(kill: Fault, other: Fault) -> bool:
    """Whether the other fault leaves nothing to kill, or nothing that should be killed."""
    return other.kind in ("away", "disk", "term", "stop") and meets(kill, other, 4.0)


def kill_count(faults: list[Fault]) -> int:
    return sum(1 for fault in faults if fault.kind == "kill")
