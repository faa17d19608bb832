"""One schedule for ambulances, patrol districts and co-responder teams."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from icalendar import Calendar
from openpyxl import load_workbook
from pydantic import ValidationError

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.inputs.rosters import read_roster
from deploy_opt.plan.rosters.labour_rules import labour_rules
from deploy_opt.plan.rosters.replan import ReplanRules
from deploy_opt.plan.rosters.roll_out import Days, ExtraCrews
from deploy_opt.report.bid_period import period_days, read_extra_crews
from deploy_opt.report.replan_files import replan_runs, replan_table
from deploy_opt.report.rota_files import export_rotas, rules_of_units
from deploy_opt.report.run_schedule import read_schedule
from deploy_opt.report.schedule_files import Period, export_schedule
from deploy_opt.report.shift_sums import minimum_staffing
from deploy_opt.report.shift_tables import whole_shifts
from deploy_opt.rule_settings import Fleet
from deploy_opt.service_settings import CoResponders, Patrol
from deploy_opt.tables import TABLES, check_frame
from service_town import DISTRICT_STARTS, service_tables, write_city
from shift_town import ZONE, town_week

MONDAY = dt.date(2026, 1, 5)
CREWS_A_WEEK = {"als": 15, "patrol": 7 * (2 * 3 + 2), "coresponder": 7 * 3}


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return write_city(tmp_path_factory.mktemp("Stadt ä") / "run")


@pytest.fixture(scope="module")
def shifts(city):
    return read_schedule(city).shifts(MONDAY, 1)


def exported(city, to, tmp_path, **how):
    return export_schedule(city, to=to, out=tmp_path / to, **how)


def text(file):
    return pd.read_csv(file, dtype=str, keep_default_na=False)


def hours_by(shifts, unit, column):
    """Count units by `column` and hour of the week from plain start and end times."""
    found = {}
    for row in shifts[shifts["unit"] == unit].itertuples():
        now = dt.datetime.fromisoformat(row.start_local)
        while now < dt.datetime.fromisoformat(row.end_local):
            key = getattr(row, column), now.weekday() * 24 + now.hour
            found[key] = found.get(key, 0) + 1
            now += dt.timedelta(hours=1)
    return found


def test_summed_by_place_and_hour_the_shifts_are_the_plan_of_each_service(shifts):
    tables = service_tables()
    units, _ = town_week()
    posts = {
        (p, h): n
        for h, row in enumerate(units.tolist())
        for p, n in zip(("P1", "P2"), row, strict=True)
    }
    assert hours_by(shifts, "als", "post_id") == {k: n for k, n in posts.items() if n}
    placed = tables["service_posts.csv"]
    teams = placed[placed["service"] == "coresponse"].set_index(["post_id", "hour"])["units"]
    assert hours_by(shifts, "coresponder", "post_id") == teams.to_dict()
    districts = tables["district_units.csv"].set_index(["district", "hour"])["units"]
    assert hours_by(shifts, "patrol", "area") == districts.to_dict()


def test_the_table_keeps_its_contract_and_every_crew_has_its_people(shifts):
    check_frame(shifts.replace("", None), TABLES["shifts.csv"], where="shifts.csv")
    whole = whole_shifts(shifts)
    assert whole["unit"].value_counts().to_dict() == CREWS_A_WEEK
    roles = shifts.groupby("unit")[["role", "headcount", "break_min"]].max()
    assert roles.loc["als"].tolist() == ["emt + paramedic", 2, 30]
    assert roles.loc["patrol"].tolist() == ["officer", 1, 20]
    assert roles.loc["coresponder"].tolist() == ["clinician + peer", 2, 45]
    assert whole.groupby("unit")["headcount"].sum().to_dict() == {
        "als": 30, "patrol": 56, "coresponder": 42,
    }  # fmt: skip


def test_patrols_keep_a_district_and_teams_have_a_post_with_few_moves(shifts):
    whole = whole_shifts(shifts)
    patrols = whole[whole["unit"] == "patrol"]
    assert set(patrols["area"]) == set(DISTRICT_STARTS)
    assert set(patrols["post_id"]) == {""}
    assert patrols["moves"].sum() == 0  # where they wait inside it is no move of the schedule
    assert (patrols[["place", "end_place"]].eq(patrols["area"], axis=0)).all(axis=None)
    teams = whole[whole["unit"] == "coresponder"]
    assert set(teams["area"]) == {"city"}
    # one of the two day teams goes to post 1 at noon; at 16:00 and 18:00 the shifts hand over
    assert teams.groupby(teams["start"].dt.hour)["moves"].sum().to_dict() == {8: 7, 16: 7}
    assert set(teams.loc[teams["moves"] == 1, "end_place"]) == {"P1"}
    later = shifts[(shifts["unit"] == "coresponder") & (shifts["leg"] > 1)]
    assert len(later) == teams["moves"].sum()


def test_meal_breaks_lower_the_hours_on_duty(shifts):
    whole = whole_shifts(shifts)
    off = (60 * (whole["length_h"] - whole["duty_h"])).round(6)
    found = off.groupby(whole["unit"]).unique()
    assert found.map(list).to_dict() == {"als": [30], "patrol": [20], "coresponder": [45]}


@pytest.mark.parametrize("section", [Fleet, Patrol, CoResponders])
def test_breaks_that_cannot_be_are_refused_in_words(section):
    with pytest.raises(ValidationError, match="less than or equal to 120"):
        section.model_validate({"meal_break_min": 121})


def test_the_minimum_staffing_has_stations_and_districts_by_hour(shifts, city, tmp_path):
    table = minimum_staffing(shifts)
    on = table.set_index(["place", "unit", "hour_of_week"])["units"]
    assert on["North", "patrol", 0] == 2
    assert on["South", "patrol", 167] == 1
    assert on["P1", "als", 13] == 2
    (file,) = exported(city, "minimum_staffing", tmp_path)
    rows = text(file)
    assert set(rows["Station"]) == {"Station 1", "'=Market, hall", "North", "South"}
    assert set(rows.loc[rows["Unit"] == "patrol", "Station ID"]) == set(DISTRICT_STARTS)
    assert len(rows) == len(table)


def test_the_hour_that_the_clock_skips_is_in_no_staffing_table(city):
    week = read_schedule(city).shifts(dt.date(2026, 3, 2), 1)
    plain = read_schedule(city).shifts(MONDAY, 1)
    skipped = 6 * 24 + 2  # Sunday 02:00 to 03:00
    want = minimum_staffing(plain)
    found = minimum_staffing(week)
    pd.testing.assert_frame_equal(
        found, want[want["hour_of_week"] != skipped].reset_index(drop=True)
    )


def test_deputy_lists_each_person_with_a_place_a_qualification_and_the_next_day(city, tmp_path):
    (file,) = exported(city, "deputy", tmp_path)
    rows = text(file)
    needed = ["Start Date", "Start Time", "End Date", "End Time", "Location", "Area"]
    assert (rows[[*needed, "Meal Break (Mins)"]] != "").all(axis=None)
    assert rows["Area"].value_counts().to_dict() == {
        "officer": 56, "clinician": 21, "peer": 21, "emt": 15, "paramedic": 15,
    }  # fmt: skip
    starts, ends = (
        pd.to_datetime(rows[f"{side} Date"] + "T" + rows[f"{side} Time"])
        for side in ("Start", "End")
    )
    assert (ends > starts).all()
    nights = rows[(rows["Location"] == "North") & (rows["Start Time"] == "22:00:00")]
    assert len(nights) == 14
    assert (
        (pd.to_datetime(nights["End Date"]) - pd.to_datetime(nights["Start Date"]))
        .eq(pd.Timedelta(days=1))
        .all()
    )
    assert set(zip(rows["Open"], rows["Email"], strict=True)) == {("Yes", "")}


def test_ukg_and_when2work_take_every_role_within_their_limits(city, tmp_path):
    (file,) = exported(city, "ukg_template", tmp_path, period=Period(weeks=13))
    ukg = text(file)
    days = [name for name in ukg if name.startswith("Day ")]
    assert days == [f"Day {n}" for n in range(1, 92)]
    assert {"North/officer", "South/officer", "Station 1/paramedic"} <= set(ukg["ORG JOB"])
    people = 2 * 15 + 56 + 2 * 21
    assert (ukg[days] != "").to_numpy().sum() == 13 * people
    weeks = exported(city, "when2work", tmp_path, period=Period(weeks=2))
    assert [file.name for file in weeks] == ["when2work_2026-W02.csv", "when2work_2026-W03.csv"]
    for file in weeks:
        rows = text(file)
        monday = pd.to_datetime(rows["Date"], format="%m/%d/%Y").dt.to_period("W-SUN")
        assert len(set(monday)) == 1
        assert len(rows) == people


@pytest.mark.parametrize("start", [dt.date(2026, 3, 2), dt.date(2026, 10, 26)])
def test_csv_workbook_and_calendar_give_the_same_times_across_both_clock_changes(
    city, tmp_path, start
):
    period = Period(start, 1)
    (plain,) = exported(city, "shifts", tmp_path, period=period)
    whole = whole_shifts(text(plain).astype({"leg": int, "break_min": int, "headcount": int}))
    (book,) = exported(city, "xlsx", tmp_path, period=period)
    rows = list(load_workbook(book)["Shifts"].iter_rows(values_only=True))
    sheet = pd.DataFrame(rows[1:], columns=rows[0])
    back = text(plain)
    for name in ("start_local", "end_local"):
        assert sheet[name].tolist() == pd.to_datetime(back[name]).tolist()
    (ics,) = exported(city, "ics", tmp_path, period=period)
    zone = ZoneInfo(ZONE)
    events = Calendar.from_ical(ics.read_bytes()).walk("VEVENT")
    assert len(events) == sum(CREWS_A_WEEK.values())
    wall = {
        str(e["UID"]).removesuffix("@deploy-opt"): tuple(
            e.decoded(side).astimezone(zone).replace(tzinfo=None) for side in ("DTSTART", "DTEND")
        )
        for e in events
    }
    assert wall == {
        row.crew: (row.start.to_pydatetime(), row.end.to_pydatetime()) for row in whole.itertuples()
    }
    places = {str(e["LOCATION"]) for e in events}
    assert set(DISTRICT_STARTS) < places


def test_the_workbook_adds_the_hours_by_role_up(city, tmp_path):
    (book,) = exported(city, "xlsx", tmp_path)
    rows = list(load_workbook(book)["Hours by role"].iter_rows(values_only=True))
    table = pd.DataFrame(rows[1:], columns=rows[0]).set_index("unit")
    assert table.loc["patrol", "shifts"] == 56
    units = service_tables()["district_units.csv"]["units"].sum()
    assert table.loc["patrol", "unit_hours"] == units
    assert table.loc["patrol", "duty_hours"] == pytest.approx(units - 56 / 3)
    assert table.loc["coresponder", "people_hours"] == 2 * table.loc["coresponder", "unit_hours"]
    assert table.loc["coresponder", "moves"] == 14


def test_a_layout_of_ones_own_sees_districts_and_teams(city, tmp_path):
    file = tmp_path / "ours.yaml"
    file.write_text(
        "title: Ours\nfile: ours.csv\nrows: person\ncolumns:\n"
        "  - {name: Where, value: '{place}', needed: true}\n"
        "  - {name: Who, value: '{qualification}', needed: true}\n"
        "  - {name: Hours, value: '{duty_h:.2f}'}\n"
    )
    (made,) = export_schedule(city, to=str(file), out=tmp_path / "there")
    rows = text(made)
    assert set(rows["Where"]) == {"P1", "P2", "North", "South"}
    assert set(rows.loc[rows["Where"] == "North", "Hours"]) == {"7.67"}


def test_a_bid_period_has_holidays_events_and_extra_crews_of_every_service(city, tmp_path):
    match = tmp_path / "match.csv"
    match.write_text("name,start,end\nMatch,2026-01-10T18:00,2026-01-10T20:00\n")
    extra = tmp_path / "extra.csv"
    extra.write_text(
        "reason,unit,place,start_local,end_local,crews\n"
        "Match,patrol,South,2026-01-10T16:00,2026-01-10T22:00,3\n"
        "Match,als,P2,2026-01-10T16:00,2026-01-10T22:00,\n"
    )
    days = period_days(city, MONDAY, 5, events=match, extra=extra)
    (file,) = exported(city, "shifts", tmp_path, period=Period(MONDAY, 5, days))
    rows = text(file)
    assert rows["shift_id"].is_unique
    more = rows[rows["note"].str.startswith("extra: Match")]
    assert more.groupby(["unit", "area"]).size().to_dict() == {
        ("als", "'=Market, hall"): 1, ("patrol", "South"): 3,
    }  # fmt: skip
    noted = rows[rows["note"].str.contains("event: Match")]
    assert set(noted["unit"]) == {"als", "patrol", "coresponder"}
    extra.write_text(
        "reason,unit,place,start_local,end_local,crews\n"
        "A,patrol,West,2026-01-10T16:00,2026-01-10T22:00,1\nB,boat,P1,soon,late,two\n"
    )
    with pytest.raises(InputError) as caught:
        read_extra_crews(extra, read_schedule(city))
    assert len(caught.value.faults) == 4
    assert "North, South" in str(caught.value)


def test_only_the_districts_that_change_are_sent(city, tmp_path):
    tables = service_tables()
    later = write_city(tmp_path / "later")
    staffed = tables["service_crews.csv"]
    north = (staffed["district"] == "North") & (staffed["start_hour"] == 30)
    staffed.loc[north, "crews"] -= 1
    placed = tables["service_posts.csv"]
    here = (placed["district"] == "North") & placed["hour"].between(30, 37)
    placed.loc[here, "units"] -= 1
    for name in ("service_crews.csv", "service_posts.csv"):
        tables[name].to_csv(later / name, index=False)
    (file,) = exported(later, "shifts", tmp_path, since=city)
    rows = text(file)
    assert rows[["action", "unit", "area", "start_local"]].to_numpy().tolist() == [
        ["cancel", "patrol", "North", "2026-01-06T06:00"]
    ]
    found = replan_runs(city, later)
    table = replan_table(found, MONDAY, ZONE)
    assert table[["unit", "action", "crews"]].to_numpy().tolist() == [["patrol North", "drop", 1]]
    back = replan_runs(later, city, rules=ReplanRules(max_overtime_h=0))
    assert back.actions[["group", "action", "crews"]].to_numpy().tolist() == [
        ["patrol North", "call_in", 1]
    ]
    assert back.short.sum() == 0
    none = replan_runs(city, later, rules=ReplanRules(max_drops=0))
    assert len(none.actions) == 0


def test_a_run_without_patrols_drops_their_shifts_and_asks_for_none(city, tmp_path):
    alone = write_city(tmp_path / "alone")
    for name in ("service_posts.csv", "service_crews.csv"):
        (alone / name).unlink()
    assert len(read_schedule(alone).groups) == 1
    found = replan_runs(city, alone)  # Sunday nights reach into a week without a forecast
    kept = found.actions.groupby("group")["crews"].sum()
    assert kept.to_dict() == {"coresponder": 21, "patrol North": 40, "patrol South": 13}


def test_every_role_has_rosters_under_its_own_rules_and_lines_keep_their_district(city, tmp_path):
    files, rotas = export_rotas(city, out=tmp_path / "rotas", weeks=2)
    table, rows = (text(file) for file in files)
    assert set(zip(table["unit"], table["area"], strict=True)) == {
        ("als", ""), ("patrol", "North"), ("patrol", "South"), ("coresponder", ""),
    }  # fmt: skip
    assert (rows["line"] != "").all()
    officers = rows[rows["unit"] == "patrol"]
    assert all(
        line.startswith(f"patrol {a} ")
        for line, a in zip(officers["line"], officers["area"], strict=True)
    )
    assert table["rota"].nunique() == len(rotas)
    rules = rules_of_units(read_schedule(city).groups, (), None)
    assert rules == {
        "als": labour_rules("paramedic"),
        "patrol": labour_rules("officer"),
        "coresponder": labour_rules("clinician"),
    }


def test_labour_rules_that_cannot_be_kept_name_the_crews_and_the_rules(city, tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text(
        "paramedic: {max_hours: 40}\nofficer: {max_hours: 6}\nclinician: {max_hours: 40}"
    )
    with pytest.raises(InfeasibleError) as caught:
        export_rotas(city, rules_file=file, out=tmp_path / "rotas")
    assert caught.value.exit_code == 3
    said = str(caught.value)
    for words in ("patrol North: officer", "at most 6 h in 7 days", "shifts of 8 h in the plan"):
        assert words in said
    with pytest.raises(InputError) as wrong:
        export_rotas(city, roles=["patrl=officer"])
    assert "did you mean 'patrol'" in str(wrong.value)
    with pytest.raises(InputError, match="'oficer' for patrol"):
        export_rotas(city, roles=["patrol=oficer"])


def test_a_role_may_have_rules_of_its_own_beside_the_one_for_all(city):
    rules = rules_of_units(read_schedule(city).groups, ["officer", "als=emt"], None)
    assert rules["coresponder"] == labour_rules("officer")
    assert rules["als"] == labour_rules("emt")


def test_extra_crews_without_a_place_in_the_plan_are_refused(city):
    day = dt.datetime.fromisoformat("2026-01-10T16:00")
    extra = ExtraCrews("Fair", 0, day, day + dt.timedelta(hours=4), unit="patrol", area="West")
    with pytest.raises(InputError, match="a post of one of als, coresponder, patrol North"):
        read_schedule(city).shifts(MONDAY, 1, Days(extra=(extra,)))


def test_todays_roster_may_be_a_schedule_of_all_services(city, tmp_path):
    (file,) = exported(city, "shifts", tmp_path)
    units = read_roster(file, ["P1", "P2"], unit_type="als", start=MONDAY, hours=168)
    assert np.array_equal(units, town_week()[0])
