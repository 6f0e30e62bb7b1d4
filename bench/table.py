"""table - the figures beside their targets and limits, for a reader."""

import storms
import table_many
import table_outages
import table_page
from figure import Figure, figure, total
from rows import at_least, at_most, plain, times

SAVED_RATE = 20000
SHARE_OF_INSERTS = 35
P50_MS = 3
P99_MS = 8
HALF_P99_MS = 100
BYTES_PER_SOCKET = 6500
IDLE_CORE_SHARE = 1
LOOKUPS = 10000
REFRESHES = 3000
REVOKED_S = 5
CONNECTS = 5000
DELIVERIES = 200000
ROOM_P95_MS = {"1000": 10, "10000": 100}
PROGRAMS = ("load", "producer", "nginx", "websocket-service", "kafka",
            "persistence-service", "mariadb", "redis", "identity-service", "others")
MESSAGE_FAULTS = ("errors", "lost_unsaved", "lost_undelivered", "duplicates", "misordered",
                  "lost_sockets")
ROOM_FAULTS = ("gaps", "duplicates", "unexpected_frames", "lost_sockets")


def of(result: dict) -> str:
    machine, parts = result["machine"], result["parts"]
    lines = [
        "",
        f"{machine['cores']} cores, {machine['cpu']}, load {machine['load_before']:.2f} at the"
        f" start; medians of {result['repeats']}",
        "",
        plain("", "median", "min – max", "target"),
    ]
    for name, rows in PART_ROWS.items():
        if name in parts:
            lines += ["", *rows(parts[name])]
    return "\n".join(lines)


def clean(result: dict) -> bool:
    """No message lost, duplicated or out of order, and every socket back."""
    parts = result["parts"]
    messages = [sample for name in ("durable", "latency")
                for way in ("direct", "nginx", "half")
                for sample in parts.get(name, {}).get(way, [])]
    messages += parts.get("revoke", {}).get("direct", [])
    messages += [sample[name] for sample in parts.get("storm", {}).get("beside", [])
                 for name in ("quiet", "stormy")]
    rooms = [sample for size in parts.get("room", {}).values()
             for samples in size.values() for sample in samples]
    storms_seen = [sample for samples in parts.get("storm", {}).values() for sample in samples]
    outages = [sample for samples in parts.get("outages", {}).values() for sample in samples]
    page = parts.get("page", {"frames": [], "memory": {"samples": []}})
    shown = page["frames"] + page["memory"]["samples"]
    return (all(sample["clean"] for sample in messages + outages + shown) and
            not any(total(rooms, name) for name in ROOM_FAULTS) and
            not total(storms_seen, "away"))


# --- messages ----------------------------------------------------------------------

def durable_rows(part: dict) -> list[str]:
    direct, half = part["direct"], part["half"]
    shares = [{"percent": 100 * run["saved_per_s"] / limit}
              for run, limit in zip(direct, limits_beside(part["inserts"]))]
    lines = [
        at_least("(a) saved messages, 100 pairs x 16 in flight", figure(direct, "saved_per_s"),
                 SAVED_RATE),
        plain("    limit: plain inserts of 500 rows, in turns with it",
              f"{figure(part['inserts'], 'rows_per_s').median:,.0f}/s"),
        at_least("    saved, as a share of those before and after it",
                 figure(shares, "percent"), SHARE_OF_INSERTS, " %"),
        times("    send to saved, p50 / p99 / max", direct, "saved_us", "p50", "p99", "max"),
        times("    send to received, p50 / p99", direct, "received_us", "p50", "p99"),
        plain("    saved messages, through nginx",
              f"{figure(part['nginx'], 'saved_per_s').median:,.0f}/s"),
        times("    send to saved, p50 / p99 / max, through nginx", part["nginx"], "saved_us",
              "p50", "p99", "max"),
        at_most(f"    send to saved, p99, at {half[0]['rate']:,g}/s, half of it",
                figure(half, "saved_us", "p99", scale=1e-3), HALF_P99_MS, "ms"),
        times("    the same, p50 / p99 / max", half, "saved_us", "p50", "p99", "max"),
        others(direct + part["nginx"] + half),
        faults(direct + part["nginx"] + half, "saved", MESSAGE_FAULTS),
        "",
        *cpu_rows("CPU for one message", {"direct": (direct, "saved"),
                                          "nginx": (part["nginx"], "saved")}),
    ]
    inserts = part["inserts"]
    cost = 1e6 * total(inserts, "mariadb_cpu_s") / total(inserts, "rows")
    return [*lines, plain("    mariadb, plain inserts", f"{cost:.1f} µs")]


def limits_beside(inserts: list[dict]) -> list[float]:
    """For each run the mean of the inserts before and after it."""
    rates = [sample["rows_per_s"] for sample in inserts]
    return [(before + after) / 2 for before, after in zip(rates, rates[1:])]


def latency_rows(part: dict) -> list[str]:
    lines = []
    for name, words in (("direct", ""), ("nginx", ", through nginx")):
        samples = part[name]
        lines += [
            at_most(f"(b) 50/s: send to saved, p50{words}",
                    figure(samples, "saved_us", "p50", scale=1e-3), P50_MS, "ms"),
            at_most(f"    50/s: send to saved, p99{words}",
                    figure(samples, "saved_us", "p99", scale=1e-3), P99_MS, "ms"),
            times(f"    50/s: send to received, p50 / p99{words}", samples, "received_us",
                  "p50", "p99"),
        ]
    both = part["direct"] + part["nginx"]
    return [*lines, others(both), faults(both, "saved", MESSAGE_FAULTS)]


# --- sockets -----------------------------------------------------------------------

def idle_rows(part: dict) -> list[str]:
    samples = part["direct"]
    return [
        at_most(f"(c) gateway memory, {samples[0]['sockets']:,} idle sockets, each",
                figure(samples, "bytes_per_socket", scale=1e-3), BYTES_PER_SOCKET / 1000, "KB"),
        at_most("    gateway CPU, share of a core for 10,000",
                figure(samples, "core_share_per_10000", scale=100), IDLE_CORE_SHARE, "%"),
    ]


def lookup_rows(part: dict) -> list[str]:
    samples = part["direct"]
    return [
        at_least(f"(d) token look-ups, {samples[0]['connections']} connections",
                 figure(samples, "lookups_per_s"), LOOKUPS),
        plain("    look-up, p50 / p99", " / ".join(
            f"{figure(samples, name).median / 1000:.2f}" for name in ("p50_us", "p99_us")) +
            " ms"),
        at_least("    refreshes, 32 connections",
                 figure(part["refresh"], "refreshes_per_s"), REFRESHES),
        plain("    limit: signatures of all cores",
              f"{figure(part['refresh'], 'limit').median:,.0f}/s"),
        plain("    look-ups beside refreshes",
              f"{figure(part['both'], 'lookups_per_s').median:,.0f}/s beside "
              f"{figure(part['both'], 'refreshes_per_s').median:,.0f}/s"),
        others(samples),
    ]


def revoke_rows(part: dict) -> list[str]:
    samples = part["direct"]
    return [
        at_most("(k) a session ends: until its socket is closed, most",
                figure(samples, "delay_us", "max", scale=1e-6), REVOKED_S, "s"),
        times("    until its socket is closed, p50 / p99", samples, "delay_us", "p50", "p99"),
        at_most("    until persistence refuses its token, most",
                figure(samples, "rest_delay_us", "max", scale=1e-6), REVOKED_S, "s"),
        plain("    sockets closed with 4401 / tokens refused",
              f"{total(samples, 'ended'):,} / {total(samples, 'rest_ended'):,}"),
        times("    send to saved meanwhile, p50 / p99", samples, "saved_us", "p50", "p99"),
        others(samples),
        faults(samples, "saved", MESSAGE_FAULTS),
    ]


def connect_rows(part: dict) -> list[str]:
    samples = part["direct"]
    return [
        at_least(f"(e) connects, {samples[0]['sockets']:,} sockets, 64 at a time",
                 figure(samples, "connects_per_s"), CONNECTS),
        plain("    limit: a gateway without look-ups",
              f"{figure(part['floor'], 'connects_per_s').median:,.0f}/s"),
        plain("    connect to welcome, p50 / p99", " / ".join(
            f"{figure(samples, name).median / 1000:.1f}" for name in ("p50_us", "p99_us")) +
            " ms"),
        plain("    users in one question to persistence",
              f"{figure(samples, 'users_per_question').median:.1f}"),
        plain("    connects, through nginx",
              f"{figure(part['nginx'], 'connects_per_s').median:,.0f}/s"),
        others(samples),
        "",
        *cpu_rows("CPU for one connect", {"direct": (samples, "sockets"),
                                          "nginx": (part["nginx"], "sockets")}),
    ]


# --- rooms -------------------------------------------------------------------------

def room_rows(part: dict) -> list[str]:
    lines = []
    for size, results in part.items():
        most, steady = results["most"], results["steady"]
        limit = figure(results["floor"], "deliveries_per_s").median
        lines += [
            at_least(f"(g) deliveries, a room of {int(size):,}",
                     figure(most, "deliveries_per_s"), DELIVERIES),
            plain("    floor: one write for each frame, nothing else", f"{limit:,.0f}/s"),
            at_most(f"    made to received, p95, {steady[0]['rate']:g} messages a second",
                    figure(steady, "received_us", "p95", scale=1e-3), ROOM_P95_MS[size], "ms"),
            times("    the same, p50 / p99 / max", steady, "received_us", "p50", "p99", "max"),
            times("    floor, p50 / p95 / p99", results["floor_steady"], "received_us", "p50",
                  "p95", "p99"),
            others(most),
            faults(most + steady, "deliveries", ROOM_FAULTS),
            "",
        ]
    return lines + cpu_rows("CPU for one delivery", {
        f"{int(size):,}": (results["most"], "deliveries") for size, results in part.items()})


# --- all parts ----------------------------------------------------------------------

def cpu_rows(title: str, columns: dict[str, tuple[list[dict], str]]) -> list[str]:
    """All samples together; for each column its samples and the unit that they count."""
    lines = [plain(title, *columns)]
    sums = [0.0] * len(columns)
    for name in PROGRAMS:
        cells = []
        for number, (samples, made) in enumerate(columns.values()):
            seconds = sum(sample["cpu_s"].get(name, 0) for sample in samples)
            each = 1e6 * seconds / max(1, total(samples, made))
            sums[number] += each if name != "others" else 0
            cells.append(f"{each:.2f} µs")
        if any(cell != "0.00 µs" for cell in cells):
            what = "everything else on this machine" if name == "others" else name
            lines.append(plain(f"    {what}", *cells))
    return [*lines, plain("    all of these", *(f"{each:.2f} µs" for each in sums))]


def faults(samples: list[dict], made: str, names: tuple[str, ...]) -> str:
    counts = ", ".join(f"{total(samples, name)} {name.replace('_', ' ')}" for name in names)
    return f"    {total(samples, made):,} in all: {counts}"


def others(samples: list[dict]) -> str:
    """The CPU share of other programs; a large one spoils the figures above."""
    share: Figure = figure(samples, "others_share", scale=100)
    return plain("    CPU that other programs took meanwhile", f"{share.median:.0f} %",
                 f"{share.low:.0f} – {share.high:.0f}")


PART_ROWS = {"durable": durable_rows, "latency": latency_rows, "idle": idle_rows,
             "lookup": lookup_rows, "connect": connect_rows, "storm": storms.rows,
             "room": room_rows, "revoke": revoke_rows, "page": table_page.rows,
             "outages": table_outages.rows, "many": table_many.rows,
             "history": table_many.history_rows}
