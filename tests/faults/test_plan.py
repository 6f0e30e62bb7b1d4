"""The same seed gives the same plan, and a plan keeps its limits."""

from itertools import combinations

import pytest

from nemesis import plan

SEEDS = range(1, 40)


def lasting(faults: list[plan.Fault]) -> list[plan.Fault]:
    return [fault for fault in faults if fault.lasts_s]


def test_the_same_seed_and_minutes_give_the_same_plan():
    assert [str(fault) for fault in plan.make(7, 3)] == [str(fault) for fault in plan.make(7, 3)]
    assert [str(fault) for fault in plan.make(7, 3)] != [str(fault) for fault in plan.make(8, 3)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_of_two_minutes_has_twenty_kills_and_a_calm_end(seed: int):
    faults = plan.make(seed, 2)
    assert plan.kill_count(faults) >= 20
    assert {fault.target for fault in faults if fault.kind == "kill"} == set(plan.KILLED)
    assert max(fault.ends_s for fault in faults) <= 2 * 60 - plan.CALM_S


@pytest.mark.parametrize("seed", SEEDS)
def test_at_most_two_faults_last_and_never_on_one_program(seed: int):
    faults = lasting(plan.make(seed, 5))
    for fault in faults:
        meanwhile = [other for other in faults if other is not fault
                     and other.at_s <= fault.at_s < other.ends_s]
        assert len(meanwhile) < plan.SEQUENCES, f"{fault} beside {meanwhile}"
    for one, two in combinations(faults, 2):
        assert not plan.meets(one, two, 0), f"{one} and {two}"


@pytest.mark.parametrize("seed", SEEDS)
def test_no_program_is_killed_while_it_is_down(seed: int):
    faults = plan.make(seed, 5)
    for kill in (fault for fault in faults if fault.kind == "kill"):
        assert not any(plan.gone(kill, other) for other in faults if other.kind != "kill")


def test_a_plan_of_half_an_hour_has_hundreds_of_kills_and_all_faults():
    faults = plan.make(1, 30)
    assert plan.kill_count(faults) >= 200
    assert {fault.kind for fault in faults} == {"kill", *plan.KINDS}
    assert max(fault.lasts_s for fault in faults if fault.kind == "stop") > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_a_persistence_is_stopped_for_longer_than_its_group_waits(seed: int):
    assert any(fault.kind == "stop" and fault.target in plan.SAVERS
               and fault.lasts_s >= plan.ZOMBIE_S for fault in plan.make(seed, 2))
