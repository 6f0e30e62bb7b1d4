"""choice - chooses the parts of `make prove` that fit into a time."""

from dataclasses import dataclass, field

from stages import BY_NAME, PROVE, TURNS, Stage


@dataclass
class Choice:
    touched: list[Stage] = field(default_factory=list)
    due: list[Stage] = field(default_factory=list)
    left_out: list[Stage] = field(default_factory=list)

    @property
    def parts(self) -> list[Stage]:
        """The touched ones first."""
        return self.touched + self.due


def cost_s(parts: list[Stage]) -> int:
    """By their budgets, with what they need; `make test` has run what it needs."""
    names: set[str] = set()
    names.update(part.name for part in parts)
    names.update(need for part in parts for need in part.needs)
    return sum(BY_NAME[name].budget_s for name in names if BY_NAME[name].command == PROVE)


def choose(parts: list[Stage], paths: list[str], turn: int, seconds: float) -> Choice:
    """`parts` in the order of the table; `turn` counts commits."""
    made = Choice()
    touched = [part for part in parts if part.is_touched(paths)]
    due = [part for part in parts if part.turn == turn % TURNS]
    for part in due:
        if cost_s(made.due + [part]) <= seconds:
            made.due.append(part)
        else:
            made.left_out.append(part)
    for part in touched:
        if part in made.due:
            made.due.remove(part)
            made.touched.append(part)
        elif part not in made.left_out:
            fits = cost_s(made.parts + [part]) <= seconds
            (made.touched if fits else made.left_out).append(part)
    return made
