"""Joint questions: what is refused, and how types fall into pools."""

from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.joint.question import Budget, Layer, Partner
from joint_towns import paired_question, tiny_question


def rebuilt(question, **changes):
    return replace(question, **changes)


def test_types_that_share_calls_are_one_pool_and_others_stand_alone():
    ems, crisis = tiny_question(), paired_question()
    assert [pool.types for pool in ems.pools] == [(1, 0)]
    assert [pool.types for pool in crisis.pools] == [(0, 1)]
    assert crisis.pools[0].classes == (0, 1)


def test_every_fault_is_named_at_once():
    town = tiny_question()
    als, bls = town.classes
    wrong = (
        replace(als, answered_by=("asl",), layers=(Layer(400.0, 0.5), Layer(200.0, 0.4))),
        replace(bls, rates=-bls.rates, weight=-1.0),
    )
    with pytest.raises(InputError) as caught:
        rebuilt(town, classes=wrong, budgets=(Budget("b", 1.0, ("als", "blz")),))
    words = str(caught.value)
    for part in (
        "'asl'",
        "mean 'als'?",
        "limits [400.0, 200.0]",
        "worths",
        "negative or missing rate",
    ):
        assert part in words
    assert "'blz'" in words
    assert "unit type bls: found no budget" in words
    assert "negative weight" in words


def test_shapes_must_fit():
    town = tiny_question()
    short = replace(town.types[0], lower=np.zeros((5, 3), int))
    far = replace(town.types[1], by_profile=town.types[1].by_profile[:, :, :4])
    with pytest.raises(InputError, match="hours x posts") as caught:
        rebuilt(town, types=(short, far))
    assert "times to 4 points" in str(caught.value)


def test_overflow_in_a_circle_is_refused():
    town = tiny_question()
    als, bls = town.classes
    with pytest.raises(InputError, match="one direction"):
        rebuilt(town, classes=(replace(als, answered_by=("als", "bls")), bls))


def test_a_pool_of_three_types_is_refused():
    town = tiny_question()
    third = replace(town.types[0], name="mica")
    als, bls = town.classes
    with pytest.raises(InputError, match="at most 2 types"):
        rebuilt(
            town,
            types=(*town.types, third),
            classes=(als, replace(bls, answered_by=("bls", "als", "mica"))),
            budgets=(Budget("b", 1.0, ("als", "bls", "mica")),),
        )


def test_a_unit_cannot_be_its_own_partner():
    town = paired_question()
    crisis = replace(town.classes[1], partner=Partner(("coresponder",), 300.0))
    with pytest.raises(InputError, match="two different unit types"):
        rebuilt(town, classes=(town.classes[0], crisis))


def test_a_type_is_found_by_its_name():
    assert tiny_question().type_named("bls").cost_per_h == 80.0
