"""table_page - the table's rows of part (l)."""

import statistics

from figure import Figure, figure, total
from rows import at_least, at_most, plain

FIRST_LOAD_KB = 150
USABLE_MS = 1000
OPEN_MS = 200
FRAMES = 50
HEAP_KB = 500  # with each 10,000 messages; 300 bytes kept of each would be 3,000 KB
NODES = 100


def rows(part: dict) -> list[str]:
    visits, openings, frames = part["visit"], part["opening"], part["frames"]
    busy, rest = ([sample[name] for sample in frames] for name in ("busy", "rest"))
    return [
        at_most("(l) page: first visit up to the open chat, on the wire",
                figure(visits, "chat_bytes", scale=1e-3), FIRST_LOAD_KB, "KB"),
        plain("    of that up to the form",
              f"{figure(visits, 'form_bytes', scale=1e-3).median:,.2f} KB"),
        at_most("    until the form can be used", figure(visits, "form_ms"), USABLE_MS, "ms"),
        at_most("    a reload, until one can write", figure(visits, "reload_ms"), USABLE_MS,
                "ms"),
        plain("    a reload, until the messages are painted",
              *spread(figure(visits, "reload_messages_ms"), " ms", 2)),
        others(visits),
        *opened("    10,000 messages, all unread: click to painted", openings, "unread_ms"),
        *opened("    10,000 messages, read", openings, "first_ms"),
        *opened("    the same again, from the page's memory", openings, "again_ms"),
        others(openings),
        at_least(f"    frames, {frames[0]['rate']} messages a second arrive",
                 figure(busy, "frames_per_s"), FRAMES, digits=1),
        plain("    the same page at rest", *spread(figure(rest, "frames_per_s"), "/s", 1)),
        plain("    longest gap between two frames; at rest",
              f"{figure(busy, 'worst_gap_ms').median:.0f} ms",
              f"{figure(rest, 'worst_gap_ms').median:.0f} ms"),
        plain("    messages that arrived", *spread(figure(busy, "arrived_per_s"), "/s", 1)),
        plain("    CPU of the page's thread meanwhile, of a core",
              *spread(figure(busy, "thread", "all", scale=100), " %", 0)),
        others(frames),
        *memory(part["memory"]),
        f"    {total(frames + part['memory']['samples'], 'faults')} messages missing, doubled or"
        " out of order",
    ]


def opened(what: str, samples: list[dict], name: str) -> list[str]:
    """The medians of all rounds, and the slowest of all."""
    medians = [{"ms": statistics.median(sample[name])} for sample in samples]
    slowest = max(max(sample[name]) for sample in samples)
    return [at_most(what, figure(medians, "ms"), OPEN_MS, "ms"),
            plain(f"    the slowest of {sum(len(sample[name]) for sample in samples)}",
                  f"{slowest:,.2f} ms")]


def memory(run: dict) -> list[str]:
    first, last = run["samples"][0], run["samples"][-1]
    heap, nodes = run["heap_per_10000"] / 1000, run["nodes_per_10000"]
    return [
        at_most("    JS heap, growth with 10,000 messages", Figure(heap, heap, heap), HEAP_KB,
                "KB"),
        plain(f"    JS heap at first, and after {last['messages']:,} messages",
              *(f"{sample['heap_bytes'] / 1e6:.2f} MB" for sample in (first, last))),
        at_most("    DOM nodes, growth with 10,000 messages", Figure(nodes, nodes, nodes), NODES,
                "nodes"),
        plain("    DOM nodes at first, and at the end",
              *(f"{sample['nodes']:,}" for sample in (first, last))),
    ]


def spread(value: Figure, unit: str, digits: int) -> list[str]:
    return [f"{value.median:,.{digits}f}{unit}",
            f"{value.low:,.{digits}f} – {value.high:,.{digits}f}"]


def others(samples: list[dict]) -> str:
    """The CPU share of other programs; a large one spoils the figures above."""
    share = figure(samples, "others_share", scale=100)
    return plain("    CPU that other programs took meanwhile", *spread(share, " %", 0))
