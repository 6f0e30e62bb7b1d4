"""Is the ledger worth its name? It must see each planted bug, and nothing without one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mutants import GOING, MUTANTS, ROOMS, UNTOLD, Act, Mutant, going
from support.load import FAULTS, Load, in_short
from support.stack import ROOT, Stack

VARIANT = "faults"
TREE = ROOT / "build" / "mutants"


def sources() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout
    folders = ("common/", "identity-service/", "websocket-service/", "persistence-service/",
               "client-test/", "bench/load/", "tests/ledger/", "mk/", "Makefile", "CHANGELOG.md")
    return [path for path in listed.split("\0") if path.startswith(folders)]


class Tree:
    """A copy of what is built, its objects with it, so that a mutant costs a few files."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        for path in sources():
            if (ROOT / path).is_file():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, target)
        shutil.copytree(ROOT / "build" / VARIANT, folder / "build" / VARIANT,
                        copy_function=shutil.copy2)

    def plant(self, mutant: Mutant) -> None:
        for path, old, new in mutant.edits:
            text = (self.folder / path).read_text("utf-8")
            assert text.count(old) == 1, \
                f"{mutant.name}: {path} has this {text.count(old)} times, not once:\n{old}"
            (self.folder / path).write_text(text.replace(old, new), "utf-8")

    def restore(self, mutant: Mutant) -> None:
        for path in {path for path, _, _ in mutant.edits}:
            shutil.copy(ROOT / path, self.folder / path)

    def build(self) -> Path:
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(
            ["make", "-j2", "CC=gcc", f"VARIANT={VARIANT}",
             "CFLAGS_EXTRA=-Wno-error", "all"],
            cwd=self.folder, env=environment, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return self.folder / "build" / VARIANT


@pytest.fixture(scope="session")
def tree() -> Tree:
    return Tree(TREE)


def judge(name: str, build: Path, act, options: dict, env: dict[str, str]) -> dict:
    """One run of the ledger on a stack of these programs, and its verdict."""
    stack = Stack(f"mutant-{name}", {"PARLEY_BUILD": str(build)} | env)
    try:
        stack.up()
        load = {"users": 12, "sockets": 2, "peers": 6, "rate": 200, "seconds": 60,
                "drain": 45} | options
        with Load(stack, **load) as ledger:
            ledger.wait_sending()
            act(stack, ledger)
            ledger.stop_sending()
            return ledger.verdict(120)
    finally:
        stack.down()


def test_there_are_enough():
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names) >= 8
    assert all(mutant.faults and mutant.faults <= set(FAULTS) for mutant in MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant(tree: Tree, mutant: Mutant):
    try:
        tree.plant(mutant)
        verdict = judge(mutant.name, tree.build(), mutant.act, mutant.options, mutant.env)
    finally:
        tree.restore(mutant)
    seen = {name for name in FAULTS if verdict[name]}
    print(mutant.name, {name: verdict[name] for name in sorted(seen)}, verdict["verdict"])
    assert seen & mutant.faults, f"{mutant.why}: not seen, {verdict}"


def all_of_it(stack: Stack, load: Load) -> None:
    for name in ("offsets_before_transaction", "no_unique_key", "errors_taken_for_saved",
                 "listening_before_positioned", "accepted_before_report"):
        next(mutant for mutant in MUTANTS if mutant.name == name).act(stack, load)


CONTROLS = {
    "lists": (all_of_it, {"receipts": 500}, {}),
    "rooms": (all_of_it, UNTOLD, ROOMS),
    "lists, going": (going, {"receipts": 500} | GOING, {}),
    "rooms, going": (going, UNTOLD | GOING, ROOMS),
}


@pytest.mark.parametrize("act, options, env", CONTROLS.values(), ids=CONTROLS.keys())
def test_without_a_mutant_the_same_is_clean(tree: Tree, act: Act, options: dict, env: dict):
    """What the mutants go through harms nothing that is right."""
    verdict = judge("none", tree.build(), act, {"seconds": 150} | options, env)
    assert verdict["verdict"] == "clean", in_short(verdict)
