"""Shifts as a workbook."""

import datetime as dt
import io

import pytest
from openpyxl import load_workbook

from deploy_opt.report.shift_tables import SHIFT_COLUMNS, shifts_of_plan
from deploy_opt.report.xlsx_export import workbook_bytes
from shift_town import POSTS, WORDS, ZONE, town_week


@pytest.fixture(scope="module")
def shifts():
    units, crews = town_week()
    table = shifts_of_plan(units, crews, POSTS, WORDS, start=dt.date(2026, 1, 5), time_zone=ZONE)
    table.loc[:3, "note"] = ["=1+1", "+2", "-3", "@sum"]
    return table


def test_the_sheet_reads_back_as_the_shifts(shifts):
    book = load_workbook(io.BytesIO(workbook_bytes(shifts, posts=POSTS)))
    assert book.sheetnames == ["Shifts", "Minimum staffing", "Hours by role"]
    rows = list(book["Shifts"].iter_rows(values_only=True))
    assert rows[0] == SHIFT_COLUMNS
    assert len(rows) == len(shifts) + 1
    for row, want in zip(rows[1:], shifts.to_dict("records"), strict=True):
        back = dict(zip(SHIFT_COLUMNS, row, strict=True))
        for name in ("start_local", "end_local"):
            assert back[name] == dt.datetime.fromisoformat(want[name])
            want[name] = back[name]
        assert {k: "" if v is None else v for k, v in back.items()} == want


def test_headers_are_frozen_and_filtered_and_nothing_is_a_formula(shifts):
    book = load_workbook(io.BytesIO(workbook_bytes(shifts, posts=POSTS)))
    sheet = book["Shifts"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:O{len(shifts) + 1}"
    assert book["Minimum staffing"].freeze_panes == "C2"
    kinds = {cell.data_type for s in book for row in s.iter_rows() for cell in row}
    assert "f" not in kinds
    assert [sheet.cell(row, 13).value for row in range(2, 6)] == ["=1+1", "+2", "-3", "@sum"]
    assert book["Minimum staffing"]["A2"].value == "Station 1"
    assert book["Minimum staffing"]["C2"].value == 1


def test_the_same_shifts_give_the_same_bytes(shifts):
    one, two = (workbook_bytes(shifts, posts=POSTS) for _ in range(2))
    assert one == two
    assert load_workbook(io.BytesIO(one)).properties.created == dt.datetime.fromisoformat(
        "2000-01-01"
    )


def test_a_plan_without_shifts_is_a_workbook_of_headers(shifts):
    data = workbook_bytes(shifts.iloc[:0], posts=POSTS)
    book = load_workbook(io.BytesIO(data))
    assert book["Shifts"].max_row == 1
