"""table_outages - the table's rows of part (j)."""

from figure import figure
from rows import at_least, at_most, plain

ACCEPTED_PERCENT = 99.9
DRAINED_S = 20  # twice as long as MariaDB was down
ACCEPTED_AGAIN_S = 15
SAVED_AGAIN_S = 10


def rows(part: dict) -> list[str]:
    lines = [
        at_least("(j) MariaDB down 10 s: sends accepted within 5 s",
                 figure(part["mariadb"], "accepted_percent"), ACCEPTED_PERCENT, " %", digits=1),
        at_most("    backlog saved after its return", figure(part["mariadb"], "drained_s"),
                DRAINED_S, "s"),
        at_most("    Kafka down 10 s: accepted again after it answers",
                figure(part["kafka"], "accepted_again_s"), ACCEPTED_AGAIN_S, "s"),
        plain("    Kafka's own start", f"{figure(part['kafka'], 'start_s').median:.1f} s"),
    ]
    if "disk" in part:
        lines.append(at_most("    MariaDB's disk full 10 s: saved again",
                             figure(part["disk"], "saved_again_s"), SAVED_AGAIN_S, "s"))
    return lines
