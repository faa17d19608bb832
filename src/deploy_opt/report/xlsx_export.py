"""Shifts as a workbook that prints well and runs no formula."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.plan.rosters.duties import WEEKDAYS
from deploy_opt.report.shift_sums import hours_by_role, minimum_staffing

if TYPE_CHECKING:
    from pathlib import Path

_CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - the workbook's stamp has no zone
_TIMES = ("start_local", "end_local")
_WIDEST = 40


def workbook_bytes(shifts: pd.DataFrame, *, posts: pd.DataFrame) -> bytes:
    """Write shifts, the fewest units by station and hour, and the hours by role as a workbook.

    Times are spreadsheet dates, texts are always texts (nothing that begins with = + - or @ is
    run), headers are frozen and filtered, and the creation stamp is fixed, so that the same
    shifts give the same bytes.

    Parameters
    ----------
    shifts
        Canonical shifts.
    posts
        post_id, name.
    """
    import xlsxwriter

    file = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": "Shifts", "author": "deploy_opt", "created": _CREATED})
        timed = shifts.assign(**{name: pd.to_datetime(shifts[name]) for name in _TIMES})
        _sheet(book, "Shifts", timed)
        _sheet(book, "Minimum staffing", _staffing(shifts, posts), corner=2)
        _sheet(book, "Hours by role", hours_by_role(shifts))
    return file.getvalue()


def write_workbook(path: Path, data: bytes) -> None:
    """Write a workbook."""
    path.write_bytes(data)


def _staffing(shifts: pd.DataFrame, posts: pd.DataFrame) -> pd.DataFrame:
    """Set hours of the week side by side: station or district, unit, Mon 00 .. Sun 23."""
    long = minimum_staffing(shifts)
    names = dict(zip(posts["post_id"].astype(str), posts["name"].astype(str), strict=True))
    wide = long.pivot_table(
        index=["place", "unit"], columns="hour_of_week", values="units", fill_value=0
    )
    wide = wide.reindex(columns=range(168), fill_value=0).astype(int).reset_index()
    wide["place"] = [names.get(place, place) for place in wide["place"]]
    wide.columns = ["station", "unit", *(f"{WEEKDAYS[h // 24]} {h % 24:02}" for h in range(168))]
    return wide


def _sheet(book: Any, name: str, table: pd.DataFrame, *, corner: int = 1) -> None:  # noqa: ANN401 - untyped
    sheet = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF"})
    when = book.add_format({"num_format": "ddd yyyy-mm-dd hh:mm"})
    sheet.freeze_panes(1, corner)
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, str(column), head)
        values = table[column].tolist()
        widest = max([len(str(column)), *(len(str(value)) for value in values[:200])], default=8)
        dated = isinstance(table[column].dtype, type(pd.Series([pd.Timestamp(0)]).dtype))
        sheet.set_column(place, place, 20 if dated else min(widest + 2, _WIDEST))
        for row, value in enumerate(values, start=1):
            if dated:
                sheet.write_datetime(row, place, value.to_pydatetime(), when)
            elif isinstance(value, int | float):
                sheet.write_number(row, place, value)
            else:
                sheet.write_string(row, place, str(value))
    if len(table):
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
