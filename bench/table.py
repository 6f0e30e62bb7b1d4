"""table - the figures beside their limits, for a person."""

SAVED_RATE = 20000
SHARE_OF_INSERTS = 0.35
P50_MS = 3
P99_MS = 8
BYTES_PER_SOCKET = 6500
LOOKUPS = 10000
PROGRAMS = ("client-test", "nginx", "websocket-service", "kafka", "persistence-service", "mariadb",
            "redis", "identity-service", "others")


def of(result: dict) -> str:
    machine = result["machine"]
    lines = [
        "",
        f"{machine['cores']} cores, {machine['cpu']}, load {machine['load_before']:.2f} at the start",
        "",
        row("", "measured", "target", ""),
        *durable_rows(result),
        *latency_rows(result),
        *other_rows(result),
        "",
        *cpu_rows(result),
        "",
        *trouble_rows(result),
    ]
    return "\n".join(lines)


def row(what: str, measured: str, target: str, verdict: str) -> str:
    return f"{what:<46} {measured:>14} {target:>16}  {verdict}".rstrip()


def judge(good: bool) -> str:
    return "met" if good else "short"


def at_least(what: str, measured: float, target: float, unit: str = "/s") -> str:
    return row(what, f"{measured:,.0f}{unit}", f">= {target:,.0f}{unit}",
               judge(measured >= target))


def at_most(what: str, measured: float, target: float, unit: str) -> str:
    return row(what, f"{measured:,.2f} {unit}", f"<= {target:,g} {unit}",
               judge(measured <= target))


def plain(what: str, measured: str) -> str:
    return row(what, measured, "", "")


def durable_rows(result: dict) -> list[str]:
    rate = result["durable"]["saved_per_s"]
    limit = result["inserts"]["rows_per_s"]
    lines = [
        at_least("(a) saved messages, 100 pairs x 16 in flight", rate, SAVED_RATE),
        plain("    plain inserts of 500 rows, same table", f"{limit:,.0f}/s"),
        at_least("    saved, as a share of plain inserts", 100 * rate / limit,
                 100 * SHARE_OF_INSERTS, " %"),
    ]
    for what, name in (("", "durable"), (", through nginx", "durable_nginx")):
        part = result[name]
        if name == "durable_nginx":
            lines.append(plain("    saved messages, through nginx", f"{part['saved_per_s']:,.0f}/s"))
        lines.append(plain(f"    send to saved, p50 / p99 / max{what}",
                           spread(part["saved_us"], "p50", "p99", "max")))
        lines.append(plain(f"    send to received, p50 / p99{what}",
                           spread(part["received_us"], "p50", "p99")))
        lines.append(others(part))
    return lines


def latency_rows(result: dict) -> list[str]:
    lines = []
    for what, name in (("", "latency"), (", through nginx", "latency_nginx")):
        times = result[name]["saved_us"]
        lines += [
            at_most(f"(b) 50/s: send to saved, p50{what}", times["p50"] / 1000, P50_MS, "ms"),
            at_most(f"    50/s: send to saved, p99{what}", times["p99"] / 1000, P99_MS, "ms"),
            plain(f"    50/s: send to received, p50 / p99{what}",
                  spread(result[name]["received_us"], "p50", "p99")),
            others(result[name]),
        ]
    return lines


def other_rows(result: dict) -> list[str]:
    idle, lookup = result["idle"], result["lookup"]
    return [
        at_most(f"(c) gateway memory, {idle['sockets']:,} idle sockets, each",
                idle["bytes_per_socket"] / 1000, BYTES_PER_SOCKET / 1000, "KB"),
        plain("    sockets opened, 64 at a time", f"{idle['connects_per_s']:,.0f}/s"),
        at_least(f"(d) token look-ups, {lookup['connections']} connections",
                 lookup["lookups_per_s"], LOOKUPS),
        plain("    look-up, p50 / p99",
              f"{lookup['p50_us'] / 1000:.2f} / {lookup['p99_us'] / 1000:.2f} ms"),
    ]


def cpu_rows(result: dict) -> list[str]:
    """Of the runs under (a): what a thousand messages cost."""
    lines = [f"{'CPU seconds for 1,000 messages':<46} {'direct':>14} {'through nginx':>16}"]
    parts = [result["durable"], result["durable_nginx"]]
    for name in PROGRAMS:
        cells = [1000 * part["cpu_s"][name] / max(1, part["saved"]) for part in parts]
        what = "everything else on this machine" if name == "others" else name
        lines.append(f"    {what:<42} {cells[0]:>14.4f} {cells[1]:>16.4f}")
    sums = [1000 * sum(value for name, value in part["cpu_s"].items() if name != "others") /
            max(1, part["saved"]) for part in parts]
    lines.append(f"    {'all of ours':<42} {sums[0]:>14.4f} {sums[1]:>16.4f}")
    inserts = result["inserts"]
    lines.append(f"    {'mariadb, plain inserts':<42} "
                 f"{1000 * inserts['mariadb_cpu_s'] / inserts['rows']:>14.4f}")
    return lines


def trouble_rows(result: dict) -> list[str]:
    names = ("errors", "lost_unsaved", "lost_undelivered", "duplicates", "misordered",
             "lost_sockets")
    parts = [result[name] for name in ("durable", "durable_nginx", "latency", "latency_nginx")]
    saved = sum(part["saved"] for part in parts)
    counts = ", ".join(f"{sum(part[name] for part in parts)} {name.replace('_', ' ')}"
                       for name in names)
    return [f"{saved:,} messages saved: {counts}"]


def others(part: dict) -> str:
    """What spoils the figures above it when it is large."""
    return plain("    CPU that other programs took meanwhile", f"{100 * part['others_share']:.0f} %")


def spread(times: dict, *names: str) -> str:
    return " / ".join(f"{times[name] / 1000:.1f}" for name in names) + " ms"
