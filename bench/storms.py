"""storms - the table's rows of part (f)."""

from figure import figure
from rows import at_most, plain, times

BACK_S = 30
P99_FACTOR = 1.5
KINDS = {"killed_direct": "gateway killed", "cut_direct": "all hung up",
         "killed_nginx": "gateway killed, through nginx",
         "cut_nginx": "all hung up, through nginx"}


def rows(part: dict) -> list[str]:
    storms = [line for name, words in KINDS.items() for line in rows_of(words, part[name])]
    return storms + beside_rows(part["beside"])


def beside_rows(samples: list[dict]) -> list[str]:
    return [
        at_most("(f) 99 % of saves beside a storm, times those without",
                figure(samples, "p99_factor"), P99_FACTOR, "x"),
        times("    50 / 90 / 99 %, without", [sample["quiet"] for sample in samples],
              "saved_us", "p50", "p90", "p99"),
        times("    50 / 90 / 99 %, beside", [sample["stormy"] for sample in samples],
              "saved_us", "p50", "p90", "p99"),
    ]


def rows_of(words: str, samples: list[dict]) -> list[str]:
    """The rows show look-ups and hashes of the worst sample: no sample may exceed the target."""
    worst = max(sample["lookups"] - sample["tokens"] for sample in samples)
    lookups = max(sample["lookups"] for sample in samples)
    hashes = max(sample["hashes"] for sample in samples)
    tokens = samples[0]["tokens"]
    return [
        at_most(f"(f) {samples[0]['cut']:,} back, {words}",
                figure(samples, "back_us", "max", scale=1e-6), BACK_S, "s"),
        times("    half / 90 % / 99 % of them back", samples, "back_us", "p50", "p90", "p99"),
        plain("    look-ups, at most", f"{lookups:,}", "", f"<= {tokens:,}") +
        ("  met" if worst <= 0 else "  short"),
        plain("    passwords hashed", f"{hashes}", "", "0") +
        ("  met" if hashes == 0 else "  short"),
        plain("    tries", f"{figure(samples, 'tries').median:,.0f}"),
    ]
