"""table_many - the table's rows of part (h)."""

from figure import Figure, figure
from rows import at_most, plain, times

COST = 3  # of a message to a channel, as a multiple of one to a pair
JOIN_MS = 10
LIST_MS = 20
PAGE_MS = 5


def rows(part: dict) -> list[str]:
    channel, pairs = part["channel"], part["pairs"]
    ratios = [{"times": here["persistence_us"] / there["persistence_us"]}
              for here, there in zip(channel, pairs)]
    return [
        at_most("(h) persistence's CPU for a message to a channel of 10,000",
                figure(ratios, "times"), COST, "x"),
        plain("    of that to a pair, in turns with it: channel, pair",
              f"{figure(channel, 'persistence_us').median:.1f} µs",
              f"{figure(pairs, 'persistence_us').median:.1f} µs"),
        plain("    mariadb, kafka: channel", *both(channel)),
        plain("    mariadb, kafka: pair", *both(pairs)),
        plain("    saved, channel and pairs",
              f"{figure(channel, 'saved_per_s').median:,.0f}/s",
              f"{figure(pairs, 'saved_per_s').median:,.0f}/s"),
        times("    to 1,000 online, 10 a second, p50 / p95 / p99", part["online"],
              "received_us", "p50", "p95", "p99"),
        *beside("    join of a channel of 100,000, p95", part, "join", JOIN_MS),
        *beside("    a page of 200 of 1,000 conversations, p95", part, "list", LIST_MS),
        plain("    GET /sync, 500 of 1,000 conversations, p50 / p95",
              f"{part['sync']['p50_ms']:.1f} / {part['sync']['p95_ms']:.1f} ms"),
    ]


def history_rows(part: dict) -> list[str]:
    plain_sql = part["plain"]
    return [
        at_most(f"(i) a page of 50 among {part['rows']:,} messages, p50",
                figure(part["pages"], "p50_ms"), PAGE_MS, "ms"),
        plain("    p99; its statement alone, p50 / p99",
              f"{figure(part['pages'], 'p99_ms').median:.1f} ms",
              f"{plain_sql['p50_ms']:.1f} / {plain_sql['p99_ms']:.1f} ms"),
    ]


def both(samples: list[dict]) -> list[str]:
    return [f"{figure(samples, name).median:.1f} µs" for name in ("mariadb_us", "kafka_us")]


def beside(what: str, part: dict, name: str, target: float) -> list[str]:
    here, limit = part[name], part["plain_" + name]
    value = here["p95_ms"]
    return [at_most(what, Figure(value, value, value), target, "ms"),
            plain("    its statements alone, p50 / p95; with it",
                  f"{limit['p50_ms']:.1f} / {limit['p95_ms']:.1f} ms",
                  f"{here['p50_ms']:.1f} / {here['p95_ms']:.1f} ms")]
