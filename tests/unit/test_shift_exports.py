"""Files that scheduling systems import."""

import datetime as dt
import itertools

import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.rosters.labour_rules import LabourRules
from deploy_opt.plan.rosters.lines import lines_of_shifts
from deploy_opt.plan.rosters.rotas import RotaSize, make_rotas
from deploy_opt.report.files import write_csv
from deploy_opt.report.schedule_exports import export_tables, load_template, template_names
from deploy_opt.report.shift_tables import shifts_of_plan, whole_shifts
from shift_town import POSTS, WORDS, ZONE, town_week

MONDAY = dt.date(2026, 1, 5)


def town(weeks=1, start=MONDAY):
    units, crews = town_week()
    return shifts_of_plan(units, crews, POSTS, WORDS, start=start, time_zone=ZONE, weeks=weeks)


def export(name, shifts):
    return export_tables(shifts, load_template(name), posts=POSTS)


def test_the_templates_that_come_along():
    names = ("deputy", "minimum_staffing", "ukg_template", "when2work")
    assert template_names() == names
    for name in names:
        assert load_template(name).title


def test_deputy_has_its_mandatory_columns_and_overnight_shifts_end_next_day():
    (table,) = export("deputy", town()).values()
    needed = ["Start Date", "Start Time", "End Date", "End Time", "Location", "Area"]
    assert table.columns.tolist()[:3] == ["First Name", "Last Name", "Email"]
    for column in [*needed, "Meal Break (Mins)"]:
        assert (table[column] != "").all()
    assert set(table["Open"]) == {"Yes"}
    assert set(table["Email"]) == {""}
    night = table[table["Start Time"] == "19:00:00"].iloc[0]
    assert (night["Start Date"], night["End Date"]) == ("2026-01-05", "2026-01-06")
    assert night["End Time"] == "07:00:00"
    assert len(table) == 2 * 15  # a row for each of the two people on a unit
    assert table["Meal Break (Mins)"].unique().tolist() == ["30"]


def test_ukg_sets_at_most_91_days_side_by_side():
    (table,) = export("ukg_template", town(weeks=4)).values()
    days = [c for c in table.columns if c.startswith("Day ")]
    assert table.columns.tolist()[:4] == ["EMPLOYEE ID", "EMPLOYEE NAME", "ORG JOB", "ROLL OUT"]
    assert days == [f"Day {n}" for n in range(1, 29)]
    cells = table[days].to_numpy().ravel()
    assert (cells != "").sum() == 2 * 4 * 15
    assert set(cells) == {"", "07:00-19:00", "19:00-07:00", "08:00-18:00"}
    assert set(table["ROLL OUT"]) == {"No"}
    narrow = load_template("ukg_template")
    narrow = narrow.model_copy(update={"days": narrow.days.model_copy(update={"most": 28})})
    with pytest.raises(InputError, match="found 35 days, expected at most 28 days"):
        export_tables(town(weeks=5), narrow, posts=POSTS)


def test_a_row_of_ukg_rests_between_its_shifts():
    (table,) = export("ukg_template", town(weeks=4)).values()
    for row in table.filter(like="Day ").to_numpy():
        for before, after in itertools.pairwise(row):
            assert not (before == "19:00-07:00" and after == "07:00-19:00")


def test_a_row_of_ukg_works_six_days_in_a_row_and_forty_hours_in_seven_at_most():
    (table,) = export("ukg_template", town(weeks=4)).values()
    length = {"": 0, "07:00-19:00": 12, "19:00-07:00": 12, "08:00-18:00": 10}
    hours = table.filter(like="Day ").map(length.get).to_numpy()
    sums = [row[first : first + 7].sum() for row in hours for first in range(22)]
    assert max(sums) <= 40
    layout = load_template("ukg_template")
    for most, longest in ((1, 1), (3, 3)):
        days = {"max_days_in_a_row": most, "max_hours_in_7_days": 168.0, "min_rest_h": 0.0}
        other = layout.model_copy(update={"days": layout.days.model_copy(update=days)})
        (table,) = export_tables(town(weeks=4), other, posts=POSTS).values()
        worked = (table.filter(like="Day ") != "").to_numpy()
        runs = [len(list(g)) for row in worked for on, g in itertools.groupby(row) if on]
        assert max(runs) == longest


def test_rows_of_ukg_are_the_lines_of_a_roster_where_there_is_one():
    shifts = town(weeks=4)
    _, crews = town_week()
    rules = LabourRules(max_hours=40, min_rest_h=10)
    rotas = make_rotas(crews, rules, size=RotaSize(start_spread_h=12), name="als")
    whole = whole_shifts(shifts)
    lines = dict(zip(whole["crew"], lines_of_shifts(whole, rotas, MONDAY), strict=True))
    (table,) = export("ukg_template", shifts.assign(line=shifts["crew"].map(lines))).values()
    assert len(table) == 2 * sum(rota.lines for rota in rotas)


def test_when2work_has_one_week_a_file():
    files = export("when2work", town(weeks=5))
    assert list(files) == [f"when2work_2026-W{week:02}.csv" for week in range(2, 7)]
    for name, table in files.items():
        days = pd.to_datetime(table["Date"], format="%m/%d/%Y")
        iso = days.dt.isocalendar()
        assert {f"when2work_{y}-W{w:02}.csv" for y, w in zip(iso.year, iso.week, strict=True)} == {
            name
        }
    assert sum(len(table) for table in files.values()) == 5 * 2 * 15
    assert set(table["Position Name"]) == {"emt", "paramedic"}


def test_the_minimum_staffing_lists_stations_and_hours():
    (table,) = export("minimum_staffing", town()).values()
    monday = table[(table["Station ID"] == "P2") & (table["Weekday"] == "Mon")]
    assert monday["From"].tolist() == ["08:00", "09:00", "10:00", "11:00"]
    assert set(table["Minimum People"]) == {"2", "4"}


def test_a_station_called_like_a_formula_is_text_in_the_file(tmp_path):
    (table,) = export("deputy", town()).values()
    write_csv(table, tmp_path / "deputy.csv")
    text = (tmp_path / "deputy.csv").read_text()
    assert '"\'=Market, hall"' in text
    back = pd.read_csv(tmp_path / "deputy.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(
        back, table.replace("=Market, hall", "'=Market, hall").astype(object)
    )


def test_users_add_a_layout_without_code(tmp_path):
    file = tmp_path / "ours.yaml"
    file.write_text(
        "title: Ours\nfile: ours.csv\nrows: shift\ncolumns:\n"
        "  - {name: When, value: '{start:%d.%m.%Y %H:%M}'}\n"
        "  - {name: Hours, value: '{length_h:.1f}'}\n"
        "  - {name: Qty, value: '{headcount}'}\n  - {name: Fixed, value: 7}\n"
        "  - {name: Open, value: yes}\n"
    )
    (table,) = export(str(file), town()).values()
    assert table.iloc[0].tolist() == ["05.01.2026 07:00", "12.0", "2", "7", "Yes"]
    assert len(table) == 15


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("columns: [{name: A, value: '{strat:%H}'}]", "did you mean 'start'"),
        ("columns: [{name: A, value: '{start.__class__}'}]", "plain names in braces"),
        ("columns: [{name: A, value: '{start!r}'}]", "plain names in braces"),
        ("columns: [{name: A, value: '{start'}]", "braces in pairs"),
        ("columns: []", "at least 1 item"),
        ("rows: line\ncolumns: [{name: A, value: a}]", "days beside rows: line"),
        ("rows: people\ncolumns: [{name: A, value: a}]", "'shift', 'person'"),
        ("columns: [{name: A, value: a}]\ndays: {value: x}", "days beside rows: line"),
        ("colums: []", "Extra inputs"),
        ("a: [", "a template in YAML"),
    ],
)
def test_templates_that_cannot_be_are_refused_in_words(tmp_path, text, says):
    file = tmp_path / "ours.yaml"
    file.write_text(f"title: Ours\nfile: ours.csv\n{text}\n")
    with pytest.raises(InputError, match=says):
        load_template(str(file))


def test_a_file_name_that_leaves_the_folder_is_refused(tmp_path):
    file = tmp_path / "ours.yaml"
    file.write_text("title: Ours\nfile: ../ours.csv\ncolumns: [{name: A, value: a}]\n")
    with pytest.raises(InputError, match="file"):
        load_template(str(file))


def test_unknown_templates_and_missing_files_are_refused_in_words(tmp_path):
    with pytest.raises(InputError, match="did you mean 'deputy'"):
        load_template("depty")
    with pytest.raises(InputError, match=r"a template \(YAML\)"):
        load_template(str(tmp_path / "none.yaml"))


def test_a_needed_cell_that_is_empty_and_a_format_that_does_not_fit_are_named(tmp_path):
    file = tmp_path / "ours.yaml"
    file.write_text(
        "title: Ours\nfile: ours.csv\ncolumns:\n  - {name: N, value: '{note}', needed: true}\n"
        "  - {name: F, value: '{post_name:d}'}\n"
    )
    with pytest.raises(InputError) as caught:
        export(str(file), town())
    assert "column 'N', row 1" in str(caught.value)
    assert "column 'F'" in str(caught.value)
