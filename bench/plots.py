"""plots - the curves as SVG and as a table, from curves.json.

The same figures give the same bytes: no dates, no random ids.
"""

import os
import statistics
from collections.abc import Callable

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

BEGIN, END = "<!-- made by bench/curves: do not edit below -->", "<!-- end -->"
AXES = (("rows", "stored messages"), ("peers", "conversations of each sender"))
IMAGES = "\n".join((
    "![saved messages and plain inserts a second](performance/rate.svg)",
    "![times at half of the maximum and at 50 a second](performance/latency.svg)",
    "![CPU for a thousand messages](performance/cost.svg)",
    "![a page of history and the list of conversations](performance/reads.svg)"))
SHAPE = {"svg.hashsalt": "parley", "svg.fonttype": "none", "font.size": 9,
         "axes.grid": True, "grid.alpha": 0.3, "lines.marker": "o", "lines.markersize": 4}

Line = tuple[str, Callable[[dict], float | None]]


def median(samples: list[dict], name: str) -> float:
    return statistics.median(sample[name] for sample in samples)


def cost(program: str) -> Callable[[dict], float]:
    """CPU milliseconds for 1,000 messages."""
    return lambda point: statistics.median(
        1e6 * run["cpu_s"][program] / max(1, run["saved"]) for run in point["runs"])


def saved(point: dict) -> float:
    return median(point["runs"], "saved_per_s")


def limit(point: dict) -> float:
    return median(point["inserts"], "rows_per_s")


def time_of(run: str, name: str) -> Callable[[dict], float]:
    return lambda point: point[run]["saved_us"][name] / 1000


def pages_read(point: dict) -> float:
    return statistics.median(1000 * run["pages_read"] / max(1, run["saved"])
                             for run in point["runs"])


def read_time(name: str) -> Callable[[dict], float | None]:
    return lambda point: point[name]["p50_ms"] if name in point else None


PLOTS: dict[str, tuple[str, list[Line]]] = {
    "rate": ("a second", [("saved messages", saved), ("plain inserts, the limit", limit)]),
    "latency": ("send to saved, ms", [
        ("p50 at 50/s", time_of("steady", "p50")), ("p99 at 50/s", time_of("steady", "p99")),
        ("p50 at half of the maximum", time_of("half", "p50")),
        ("p99 at half of the maximum", time_of("half", "p99"))]),
    "cost": ("CPU for 1,000 messages, ms", [
        ("MariaDB", cost("mariadb")), ("persistence-service", cost("persistence-service")),
        ("websocket-service", cost("websocket-service")), ("Kafka", cost("kafka"))]),
    "reads": ("a read, p50, ms", [
        ("page of 50 messages", read_time("page")), ("list of conversations", read_time("list"))]),
}

COLUMNS: list[tuple[str, str, Callable[[dict], float | None]]] = [
    ("saved/s", "{:,.0f}", saved), ("plain inserts/s", "{:,.0f}", limit),
    ("share", "{:.0f} %", lambda point: 100 * saved(point) / limit(point)),
    ("50/s p50, ms", "{:.1f}", time_of("steady", "p50")),
    ("p99", "{:.1f}", time_of("steady", "p99")),
    ("half p50, ms", "{:.0f}", time_of("half", "p50")),
    ("p99", "{:.0f}", time_of("half", "p99")),
    ("MariaDB", "{:.1f}", cost("mariadb")),
    ("persistence", "{:.1f}", cost("persistence-service")),
    ("pages read", "{:.1f}", pages_read),
    ("page, ms", "{:.2f}", read_time("page")), ("list, ms", "{:.2f}", read_time("list")),
]


def draw(result: dict, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with matplotlib.rc_context(SHAPE):
        for name, (unit, lines) in PLOTS.items():
            figure, panels = pyplot.subplots(1, 2, figsize=(8.5, 3.2), layout="constrained")
            for panel, (axis, label) in zip(panels, AXES):
                draw_panel(panel, result[axis], lines, label, unit)
            figure.savefig(os.path.join(folder, f"{name}.svg"),
                           metadata={"Date": None, "Creator": None})
            pyplot.close(figure)


def draw_panel(panel, points: list[dict], lines: list[Line], label: str, unit: str) -> None:
    for name, value in lines:
        pairs = [(point["at"], value(point)) for point in points]
        pairs = [(at, y) for at, y in pairs if y is not None]
        if pairs:
            panel.plot([at for at, _ in pairs], [y for _, y in pairs], label=name)
    panel.set_xscale("log")
    panel.set_xticks([point["at"] for point in points],
                     [f"{point['at']:,}" for point in points], minor=False)
    panel.minorticks_off()
    panel.set_ylim(bottom=0)
    panel.set_xlabel(label)
    panel.set_ylabel(unit)
    panel.legend(fontsize=7)


def table(result: dict) -> str:
    lines = [heading(result)]
    for axis, label in AXES:
        lines += ["", row([label, *(name for name, _, _ in COLUMNS)]),
                  "|" + "---|" * (len(COLUMNS) + 1)]
        lines += [row([f"{point['at']:,}", *(cell(point, form, value)
                                            for _, form, value in COLUMNS)])
                  for point in result[axis]]
    return "\n".join(lines)


def heading(result: dict) -> str:
    machine = result["machine"]
    sizes = ", ".join(f"{(point['sizes']['data'] + point['sizes']['indexes']) / 1e6:,.0f} MB at"
                      f" {point['at']:,}" for point in result["rows"])
    alien = max(run["others_share"] for axis, _ in AXES for point in result[axis]
                for run in point["runs"])
    return (f"{machine['cores']} cores, {machine['cpu']}, load {machine['load_before']:.1f} at the"
            f" start; other programs took up to {100 * alien:.0f} % of the CPU. Runs of"
            f" {result['seconds']} s, the median of {result['repeats']}. Buffer pool"
            f" {result['buffer_pool'] / 1e6:,.0f} MB; the table `messages` with its indexes:"
            f" {sizes}. MariaDB and persistence: CPU milliseconds for 1,000 messages;"
            " pages read from the disk: for 1,000 messages.")


def row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def cell(point: dict, form: str, value: Callable[[dict], float | None]) -> str:
    number = value(point)
    return "" if number is None else form.format(number)


def write_table(result: dict, path: str) -> None:
    """Replaces the text between the two marks of the page."""
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{IMAGES}\n\n{table(result)}\n\n{END}{after}")
