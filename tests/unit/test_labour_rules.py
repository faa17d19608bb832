"""Labour rules and shift patterns as data."""

import numpy as np
import pytest
from pydantic import ValidationError

from deploy_opt.errors import InputError
from deploy_opt.plan.rosters.labour_rules import (
    LabourRules,
    labour_rules,
    load_labour_rules,
    overtime_hours_per_year,
    pattern_faults,
    read_labour_rules,
)
from deploy_opt.plan.rosters.patterns import (
    Pattern,
    load_patterns,
    pattern,
    pattern_hours,
    read_patterns,
)
from deploy_opt.plan.shifts import weekly_columns


def test_the_patterns_of_the_trade_come_along_with_their_weekly_hours():
    hours = {name: one.hours_per_week for name, one in load_patterns().items()}
    assert hours == {
        "5-8": 40, "4-10": 40, "3-12": 36, "pitman": 42, "4-2": pytest.approx(112 / 3),
        "24-48": 56, "48-96": 56, "kelly": 56, "kelly-day": 48,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "crews"), [("pitman", 2), ("24-48", 3), ("48-96", 3), ("kelly", 3)]
)
def test_platoons_put_one_unit_on_duty_every_day(name, crews):
    one = load_patterns()[name]
    offsets = one.platoons()
    assert len(offsets) == crews == one.crews_per_position
    on_duty = sum(one.on_days(60, offset=offset).astype(int) for offset in offsets)
    assert on_duty.tolist() == [1] * 60


def test_a_pattern_that_no_crews_tile_says_so():
    assert load_patterns()["4-2"].platoons() is None


def test_a_weekly_pattern_is_the_column_of_the_crew_master():
    four_tens = pattern("4-10")
    assert four_tens.weekly == (4, 10)
    columns = weekly_columns([four_tens.weekly], [6])
    mine = {pattern_hours(four_tens, 6, first_day=day).tobytes() for day in range(7)}
    assert mine == {row.tobytes() for row in columns.on_duty}
    assert load_patterns()["pitman"].weekly is None


def test_only_a_pattern_of_a_week_has_hours_of_the_week():
    with pytest.raises(InputError, match="a cycle of 7 days"):
        pattern_hours(pattern("24-48"), 7)


def test_overlapping_shifts_of_a_pattern_are_refused_in_words(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("long: {title: Long, shift_h: 36, days: 'xx--'}\nodd: {title: Odd, days: 'ab'}")
    with pytest.raises(InputError) as caught:
        read_patterns(file)
    text = str(caught.value)
    assert "mine.yaml: long" in text
    assert "the one of day 1 lasts 36 h and the next starts 24 h after it" in text
    assert "odd.shift_h" in text
    assert "odd.days" in text


def test_a_pattern_of_days_off_alone_is_refused():
    with pytest.raises(ValidationError, match="at least one day with a shift"):
        Pattern(title="Off", shift_h=8, days="---")


@pytest.mark.parametrize("text", ["", "[1]", "a: [", "a: {b"])
def test_files_without_patterns_or_rules_are_refused(tmp_path, text):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"mine\.yaml"):
        read_patterns(file)
    with pytest.raises(InputError, match=r"mine\.yaml"):
        read_labour_rules(file)


def test_own_patterns_and_rules_are_read(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("dupont: {title: DuPont, shift_h: 12, days: 'xxxx---xxx-xxx---xxxx-------'}")
    assert read_patterns(file)["dupont"].hours_per_week == 42
    file.write_text("medic: {max_hours: 48, min_rest_h: 11, weekends_off: 1}")
    rules = read_labour_rules(file)["medic"]
    assert rules.words()["weekends"] == "1 of any 4 weekends off"
    assert rules.hours_per_week == 48


def test_a_pattern_may_have_shifts_of_another_length():
    assert pattern("4-2", shift_h=9).hours_per_week == 42
    with pytest.raises(InputError, match="do not overlap"):
        pattern("4-2", shift_h=25)
    with pytest.raises(InputError, match="did you mean 'pitman'"):
        pattern("pitmann")


def test_roles_have_their_hours_by_law():
    hours = {role: rules.hours_in_period for role, rules in load_labour_rules().items()}
    assert hours == {
        "paramedic": 40, "emt": 40, "officer": 171, "firefighter": 212, "clinician": 40,
    }  # fmt: skip
    assert labour_rules("officer").words()["hours"] == "at most 171 h in 28 days"
    with pytest.raises(InputError, match="did you mean 'officer'"):
        labour_rules("offcer")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("basis: contract", "max_hours, as the basis contract says none"),
        ("basis: flsa_40h, work_period_days: 14", "work_period_days: 7"),
        ("basis: flsa_7k_law, work_period_days: 6", "7 to 28 under section 7"),
        ("max_hours: 40, weekends_off: 5", "at most weekends_in"),
        ("max_hours: 40, min_rest: 5", "did you mean 'min_rest_h'"),
        ("max_hours: 40, max_shift_h: 72", "less than or equal to 48"),
    ],
)
def test_rules_that_cannot_be_are_named(tmp_path, text, says):
    file = tmp_path / "rules.yaml"
    file.write_text(f"medic: {{{text}}}")
    with pytest.raises(InputError, match=says):
        read_labour_rules(file)


def test_patterns_are_held_against_the_rules_of_a_role():
    assert pattern_faults(pattern("5-8"), labour_rules("paramedic")) == ()
    assert pattern_faults(pattern("pitman"), labour_rules("paramedic")) == ("hours",)
    assert pattern_faults(pattern("pitman"), labour_rules("officer")) == ()
    assert pattern_faults(pattern("48-96"), labour_rules("clinician")) == ("shift", "rest", "hours")


def test_long_ems_shifts_are_warned_of_and_not_forbidden():
    medic = labour_rules("paramedic")
    assert "24 h: the EMS fatigue guideline" in medic.warnings([12, 24])[0]
    assert medic.warnings([12]) == ()
    assert labour_rules("officer").warnings([24]) == ()


def test_a_24_48_carries_overtime_of_its_own():
    # three periods of 28 days hold 9, 9 or 10 shifts: 4 + 4 + 28 h above 212 in 84 days
    fire = labour_rules("firefighter")
    assert overtime_hours_per_year(pattern("24-48"), fire) == pytest.approx(36 * 365 / 84)
    assert overtime_hours_per_year(pattern("kelly-day"), fire) >= 0
    assert overtime_hours_per_year(pattern("5-8"), labour_rules("emt")) == 0


def test_a_contract_may_state_its_own_hours():
    assert LabourRules(max_hours=240, work_period_days=28).hours_in_period == 240
    assert np.isclose(LabourRules(max_hours=240, work_period_days=28).hours_per_week, 60)
