"""People behind a role: leave makes the relief; overtime and vacancies stand apart."""

import datetime as dt

import numpy as np
import pytest
from pydantic import ValidationError

from deploy_opt.errors import InputError
from deploy_opt.inputs.staff_files import read_leave
from deploy_opt.plan.rosters.staff_need import staff_need
from deploy_opt.scenario import input_files
from deploy_opt.settings import Origin, Scenario
from deploy_opt.staff_settings import FollowUp, RoleStaffing
from deploy_opt.staffing import FteTerms, leave_relief_factor
from deploy_opt.stages.staffing import ambulance_staff, staff_terms_of, teams_of
from deploy_opt.tables import TABLES, check_frame

LEAVE = {"vacation": 120, "sick": 60, "training": 80, "parental": 20, "injury": 32, "holiday": 88}


def scenario_of(folder=None, **sections):
    made = Scenario.model_validate(
        {
            "name": "Town",
            "time_zone": "America/New_York",
            "horizon": {"start": dt.date(2026, 3, 2)},
            "inputs": {
                "counts": "counts.csv",
                "areas": "areas.geojson",
                "travel_matrix": {"file": "matrix.csv", "unit": "s"},
                "posts": "posts.csv",
            },
            "standards": {"ems": {"drive_limit_s": 300}},
            **sections,
        }
    )
    return made if folder is None else made.from_file(Origin(folder / "town.yaml"))


def test_leave_by_kind_makes_the_relief_factor():
    terms = staff_terms_of(scenario_of(staffing={"als": {"leave": LEAVE}}))["als"]
    assert terms.terms.unavailable_hours == 400
    assert terms.terms.relief_factor == pytest.approx(2080 / 1680)
    assert terms.words == "400 h away a year"
    assert dict(terms.make_up) == {"paramedic": 1, "emt": 1}  # the usual crew of two on als


def test_one_person_round_the_clock_agrees_with_the_shift_relief_factor():
    # 365 x 24 / (2,080 - 400) = 5.21 people, the golden figure of the relief factors
    terms = staff_terms_of(scenario_of(staffing={"patrol": {"leave": LEAVE}}))["patrol"].terms
    assert terms.fte(8760) == pytest.approx(5.214, abs=1e-3)


def test_roles_that_are_not_named_keep_the_seattle_reading():
    known = staff_terms_of(scenario_of(staffing={"als": {"paid_hours": 2184}}))
    assert known["patrol"].terms == FteTerms()
    assert known["coresponder"].terms == FteTerms()
    assert known["als"].terms.paid_hours == 2184
    assert known["als"].words == "2,184 h and 20 %"


def test_the_teams_cost_what_their_leave_makes_them_cost():
    scenario = scenario_of(
        coresponders={"people": 2},
        staffing={"coresponder": {"leave": LEAVE, "make_up": {"clinician": 1, "peer": 1}}},
    )
    terms = staff_terms_of(scenario)["coresponder"]
    assert teams_of(scenario, terms).relief_factor == pytest.approx(2080 / 1680)
    assert teams_of(scenario, terms).people == 2
    given = scenario_of(staffing={"coresponder": {"relief_factor": 1.5}})
    assert teams_of(given, staff_terms_of(given)["coresponder"]).relief_factor == 1.5


def test_a_table_of_leave_is_read_by_role_and_counts_for_its_people(tmp_path):
    (tmp_path / "leave.csv").write_text(
        "role,kind,hours\nals,vacation,9000\nals,sick,3000\npatrol,vacation,1\n"
    )
    section = {"leave": "leave.csv", "people": 20, "years": 2}
    scenario = scenario_of(tmp_path, staffing={"als": section, "civilian": {"leave": "leave.csv"}})
    assert (("staffing", "als", "leave"), "leave.csv") in input_files(scenario.resolved())
    with pytest.raises(InputError, match="no row of the role 'civilian'"):
        staff_terms_of(scenario)
    scenario = scenario_of(tmp_path, staffing={"als": section})
    assert staff_terms_of(scenario)["als"].terms.unavailable_hours == 300
    scenario = scenario_of(tmp_path, staffing={"als": {"leave": "leave.csv"}})
    with pytest.raises(InputError, match="found 12,000 h a person and year"):
        staff_terms_of(scenario)


def test_faults_of_a_leave_table_are_named_by_line(tmp_path):
    path = tmp_path / "leave.csv"
    path.write_text("kind,hours\nvacation,120\nsick,-4\ntraining,some\n")
    with pytest.raises(InputError) as refused:
        read_leave(path, role="als")
    assert "line 3, hours: found '-4'" in str(refused.value)
    assert "line 4, hours: found 'some'" in str(refused.value)
    path.write_text("kind,hour\nvacation,120\n")
    with pytest.raises(InputError, match="did you mean 'hour'"):
        read_leave(path, role="als")


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"relief_factor": 1.3, "leave": {"sick": 40}}, "one of relief_factor and leave"),
        ({"leave": {"sick": 2080}}, "leave below the 2080 paid hours"),
        ({"leave": {"sick": 40}, "people": 3}, "a table in leave, as people tell"),
        ({"vacancy_share": 1.0}, "less than 1"),
        ({"make_up": {"emt": 0}}, "greater than or equal to 1"),
    ],
)
def test_sections_that_cannot_be_are_refused_in_words(section, words):
    with pytest.raises(ValidationError, match=words):
        RoleStaffing.model_validate(section)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"staffing": {"al": {}}}, "not 'al'; did you mean 'als'"),
        (
            {"staffing": {"als": {"make_up": {"paramedic": 1}}}},
            "a make_up of 2 people in staffing.als, as fleet.crew_size says",
        ),
        (
            {
                "coresponders": {"relief_factor": 1.4},
                "staffing": {"coresponder": {"leave": {"sick": 40}}},
            },
            "relief once: coresponders.relief_factor or staffing.coresponder",
        ),
    ],
)
def test_sections_that_disagree_are_refused_in_words(sections, words):
    with pytest.raises(ValidationError, match=words):
        scenario_of(**sections)


def test_follow_up_says_its_amount_once_and_ends_after_it_begins():
    with pytest.raises(ValidationError, match="one of share"):
        FollowUp(share=0.2, hours_per_week=10)
    with pytest.raises(ValidationError, match=r"one of share.*a to_h after from_h"):
        FollowUp(from_h=17, to_h=9)


def test_filled_posts_and_overtime_give_the_hours_on_duty_again():
    away, week = 400.0, 365 / 7
    terms = FteTerms(relief_factor=leave_relief_factor(away), unavailable_hours=away)
    people = staff_need(
        {"als": 1000.0}, {"als": {"paramedic": 1, "emt": 1}}, terms=terms,
        overtime_share=0.08, vacancy_share=0.1,
    )  # fmt: skip
    for row in people.itertuples():
        worked = row.fte_with_overtime * (2080 - away) / week + row.overtime_h_per_week
        assert worked == pytest.approx(1000.0)
        assert row.authorised * 0.9 == pytest.approx(row.fte_with_overtime)


def test_ambulances_planned_alone_have_their_people_too():
    units = np.zeros((168, 2), dtype=np.int64)
    units[:, 0], units[8:20, 1] = 2, 1
    scenario = scenario_of(
        fleet={"meal_break_min": 30},
        staffing={"als": {"relief_factor": 1.25, "vacancy_share": 0.2}},
    )
    people = ambulance_staff(scenario, units, 29)
    check_frame(people, TABLES["staff.csv"], where="staff.csv")
    assert people["qualification"].tolist() == ["emt", "paramedic"]
    assert people["paid_hours_per_week"].tolist() == [348, 348]
    assert people["on_duty_hours_per_week"].tolist() == [348 - 14.5] * 2  # 29 breaks of 30 min
    assert people["headcount_peak"].tolist() == [3, 3]
    assert people["fte"].iloc[0] == pytest.approx(348 * 365 / 7 * 1.25 / 2080)
    assert people["funded_posts"].iloc[0] == pytest.approx(people["fte"].iloc[0] / 0.8)
    assert ambulance_staff(scenario_of(), units, 29) is None
