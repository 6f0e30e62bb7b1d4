"""rows - one line of the table."""

from figure import Figure, figure


def plain(what: str, *cells: str) -> str:
    return (f"{what:<52}" + "".join(f" {cell:>16}" for cell in cells)).rstrip()


def judged(what: str, measured: str, value: Figure, target: str, good: bool,
           digits: int) -> str:
    spread = "" if value.count == 1 else f"{value.low:,.{digits}f} – {value.high:,.{digits}f}"
    return plain(what, measured, spread, target) + ("  met" if good else "  short")


def at_least(what: str, value: Figure, target: float, unit: str = "/s",
             digits: int = 0) -> str:
    return judged(what, f"{value.median:,.{digits}f}{unit}", value,
                  f">= {target:,.{digits}f}{unit}", value.median >= target, digits)


def at_most(what: str, value: Figure, target: float, unit: str) -> str:
    return judged(what, f"{value.median:,.2f} {unit}", value, f"<= {target:,g} {unit}",
                  value.median <= target, 2)


def times(what: str, samples: list[dict], member: str, *names: str) -> str:
    """Medians of percentiles, in milliseconds."""
    return plain(what, " / ".join(f"{figure(samples, member, name).median / 1000:.1f}"
                                  for name in names) + " ms")
