"""Schedule files of a finished run."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from icalendar import Calendar

from deploy_opt.errors import InputError, SolverError
from deploy_opt.inputs.rosters import read_roster
from deploy_opt.plan.rosters.labour_rules import LabourRules, labour_rules
from deploy_opt.plan.rosters.replan import ReplanRules
from deploy_opt.plan.rosters.roll_out import Days
from deploy_opt.plan.rosters.rotas import RotaSize
from deploy_opt.plan.rosters.staff_need import staff_need
from deploy_opt.report.bid_period import period_days
from deploy_opt.report.files import write_files
from deploy_opt.report.replan_files import replan_runs, replan_table, shifts_in_hours
from deploy_opt.report.rota_files import export_rotas, rota_words
from deploy_opt.report.run_schedule import read_schedule, schedule_of
from deploy_opt.report.schedule_files import (
    Period,
    export_schedule,
    run_schedule_writers,
    schedule_formats,
    schedule_writers,
)
from deploy_opt.report.shift_tables import shifts_of_plan
from report_fixtures import report_inputs
from service_town import write_run
from shift_town import POSTS, WORDS, ZONE, town_week


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", *town_week())


@pytest.fixture
def later(tmp_path):
    """The same town, but the day crew starts at post 1 and stays; one more crew on Tuesdays."""
    units, crews = town_week()
    units[8:18] = [2, 0]
    units[34:42, 1] += 1
    more = pd.DataFrame({"start_hour": [34], "length_h": [8], "crews": [1]})
    return write_run(tmp_path / "later", units, pd.concat([crews, more], ignore_index=True))


def test_every_format_writes_its_files_beside_the_run(run):
    assert schedule_formats()[:3] == ("shifts", "ics", "xlsx")
    for name in schedule_formats():
        files = export_schedule(run, to=name)
        assert files
        for file in files:
            assert file.parent == run.with_name(f"run-{name}")
            assert file.stat().st_size > 100


def test_the_exported_shifts_are_the_plans_units(run):
    (file,) = export_schedule(run, to="shifts", period=Period(dt.date(2026, 2, 2), 6))
    back = read_roster(file, ["P1", "P2"], unit_type="als", start=dt.date(2026, 2, 2), hours=168)
    assert np.array_equal(back, town_week()[0])
    assert set(pd.read_csv(file)["plan_id"]) == {"abc123"}


def test_a_bid_period_in_when2work_has_a_file_for_each_week(run):
    files = export_schedule(run, to="when2work", period=Period(weeks=4))
    assert [file.name for file in files] == [f"when2work_2026-W{w:02}.csv" for w in range(2, 6)]


def test_a_layout_of_ones_own_is_written_too(run, tmp_path):
    file = tmp_path / "ours.yaml"
    file.write_text("title: O\nfile: ours.csv\ncolumns: [{name: A, value: '{crew}'}]\n")
    (made,) = export_schedule(run, to=str(file), out=tmp_path / "there")
    assert made == tmp_path / "there" / "ours.csv"


def test_only_changes_are_sent_since_a_published_run(run, later):
    (file,) = export_schedule(later, to="shifts", since=run)
    table = pd.read_csv(file)
    assert table[["action", "crew"]].to_numpy().tolist() == [
        ["change", "als-20260105T0800-1"],
        ["cancel", "als-20260105T0800-1"],
        ["add", "als-20260106T1000-1"],
    ]
    (ics,) = export_schedule(later, to="ics", since=run)
    events = {str(e["UID"]): e for e in Calendar.from_ical(ics.read_bytes()).walk("VEVENT")}
    assert {uid: int(e["SEQUENCE"]) for uid, e in events.items()} == {
        "als-20260105T0800-1@deploy-opt": 1,
        "als-20260106T1000-1@deploy-opt": 0,
    }
    names = [file.name for file in export_schedule(later, to="deputy", since=run)]
    assert names == ["add_deputy.csv", "change_deputy.csv"]
    back = [file.name for file in export_schedule(run, to="deputy", since=later)]
    assert back == ["change_deputy.csv", "cancel_deputy.csv"]
    same = export_schedule(run, to="deputy", since=run)
    assert [file.name for file in same] == ["no_changes.csv"]


def test_the_files_of_a_run_have_the_same_bytes_every_time(tmp_path):
    units, crews = town_week()
    start = dt.date(2026, 1, 5)
    shifts = shifts_of_plan(units, crews, POSTS, WORDS, start=start, time_zone=ZONE)
    hashes = [
        write_files(tmp_path / name, schedule_writers(shifts, POSTS, name="Town"))
        for name in ("a", "b")
    ]
    assert hashes[0] == hashes[1]
    assert list(hashes[0]) == [
        "exports/deputy.csv",
        "exports/minimum_staffing.csv",
        "exports/shifts.ics",
        "exports/shifts.xlsx",
        "exports/ukg_template.csv",
        "exports/when2work_2026-W02.csv",
        "shifts.csv",
    ]


def test_a_run_that_is_written_leaves_its_schedule_files():
    inputs = report_inputs()
    crews = crews_of(inputs.comparison.plan.units)
    inputs = replace(inputs, comparison=replace(inputs.comparison, crews=crews))
    assert "exports/shifts.ics" in run_schedule_writers(inputs)
    run = schedule_of(inputs)
    shifts = run.shifts(run.start, 1)
    start, end = (pd.to_datetime(shifts[name]) for name in ("start_local", "end_local"))
    hours = (end - start) / pd.Timedelta(hours=1)
    assert hours.sum() == run.groups[0].units.sum()


def crews_of(units):
    """Hourly crews: shifts of one hour, as where units may change every hour."""
    number = units.sum(axis=1)
    hour = np.flatnonzero(number)
    return pd.DataFrame({"start_hour": hour, "length_h": 1, "crews": number[hour]})


def test_what_is_no_run_and_no_format_is_refused(run, tmp_path):
    with pytest.raises(InputError, match="did you mean 'deputy'"):
        export_schedule(run, to="depty")
    with pytest.raises(InputError, match="the folder of a finished run"):
        read_schedule(tmp_path)
    with pytest.raises(InputError, match="a folder inside the run"):
        export_schedule(run, to="ics", out=run / "exports")


def test_published_shifts_meet_the_need_of_a_later_run(run, later):
    found = replan_runs(run, later)
    table = replan_table(found, dt.date(2026, 1, 5), ZONE)
    assert table[["unit", "action", "start_local", "end_local", "crews"]].to_numpy().tolist() == [
        ["als", "call_in", "2026-01-06T10:00", "2026-01-06T18:00", 1]
    ]
    assert found.short.sum() == 0
    back = replan_runs(later, run, rules=ReplanRules(max_drops=1))
    assert back.actions["action"].tolist() == ["drop"]


def test_a_crew_of_a_weekly_pattern_has_a_shift_every_day_of_it():
    crews = pd.DataFrame({"start_hour": [54], "length_h": [10], "days": [4], "crews": [2]})
    table = shifts_in_hours(crews, dt.date(2026, 1, 5), 168)
    assert table["start"].tolist() == [54, 78, 102, 126]
    assert set(table["crews"]) == {2}


def test_runs_of_another_kind_are_not_replanned(run, tmp_path):
    units, crews = town_week()
    fleet = {"unit_type": "bls", "crew_size": 2}
    other = write_run(tmp_path / "bls", units, crews, fleet=fleet)
    with pytest.raises(InputError, match="168 h of bls from a Monday, expected 168 h of als"):
        replan_runs(run, other)


def test_people_by_qualification_keep_relief_vacancies_and_overtime_apart():
    make_up = {"als": {"paramedic": 1, "emt": 1}, "bls": {"emt": 2}}
    need = staff_need(
        {"als": 168.0, "bls": 84.0}, make_up, relief_factor=1.25, vacancy_share=0.1,
        overtime_share=0.05,
    ).set_index("role")  # fmt: skip
    assert need.loc["emt", "hours_per_week"] == 168 + 2 * 84
    medic = need.loc["paramedic"]
    assert medic["fte_on_duty"] == pytest.approx(8760 / 2080)
    assert medic["fte"] == pytest.approx(1.25 * 8760 / 2080)
    assert medic["overtime_h_per_week"] == pytest.approx(8.4)
    assert medic["authorised"] == pytest.approx(medic["fte"] * 0.95 / 0.9)
    with pytest.raises(InputError) as caught:
        staff_need({"als": 1.0}, {}, relief_factor=1.2, vacancy_share=1.0)
    assert len(caught.value.faults) == 2


def test_rosters_of_a_run_come_with_its_shifts_and_their_lines(run, tmp_path):
    files, rotas = export_rotas(run, size=RotaSize(12, 12), weeks=4)
    assert [file.name for file in files] == ["rotas.csv", "shifts.csv"]
    table = pd.read_csv(files[0])
    assert len(table) == sum(rota.lines for rota in rotas) == 5
    shifts = pd.read_csv(files[1], keep_default_na=False)
    assert (shifts["line"] != "").all()
    words = rota_words(rotas, labour_rules("paramedic"))
    assert words[0].startswith("5 lines in 1 rosters, 35.6 h a week each")
    assert "at most 40 h in 7 days" in words[1]
    assert rota_words(rotas, LabourRules(max_hours=40, warn_from_shift_h=12))[2].startswith(
        "shifts of 12 h"
    )


def test_rosters_follow_rules_of_ones_own_and_refuse_what_they_cannot(run, tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text("medic: {max_hours: 48, min_rest_h: 11}")
    files, _ = export_rotas(run, roles=["medic"], rules_file=file, out=tmp_path / "there")
    assert files[0].parent == tmp_path / "there"
    with pytest.raises(InputError, match="did you mean 'medic'"):
        export_rotas(run, roles=["medik"], rules_file=file)
    with pytest.raises(InputError, match="a folder inside the run"):
        export_rotas(run, roles=["als=medic"], rules_file=file, out=run / "rotas")
    units, _ = town_week()
    hourly = write_run(tmp_path / "hourly", units, crews_of(units))
    with pytest.raises(InputError, match="a plan with shifts"):
        export_rotas(hourly)


def test_rosters_that_the_checker_refuses_are_never_written(run, monkeypatch):
    from deploy_opt.plan.rosters.check_rota import Breach
    from deploy_opt.report import rota_files

    wrong = (Breach("rest", "line 1", 3, "2 h of rest"),)
    monkeypatch.setattr(rota_files, "check_rotas", lambda *_: wrong)
    with pytest.raises(SolverError, match="2 h of rest"):
        export_rotas(run)
    assert not run.with_name("run-rotas").exists()


def test_public_holidays_of_the_scenario_are_those_of_the_period(run):
    assert period_days(run, None, 4, holiday_as=6) == Days(holiday_as=6)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["scenario"]["inputs"] = {"holidays": {"country": "US", "subdivision": "NY"}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    days = period_days(run, dt.date(2026, 6, 29), 4)
    assert list(days.holidays) == [dt.date(2026, 7, 3), dt.date(2026, 7, 4)]
