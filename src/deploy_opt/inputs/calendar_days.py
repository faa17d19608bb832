"""Make tables of public holidays and school days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.text_tables import bad_cells, dates, need_columns, read_text_table

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

MAX_DAYS = 100_000
SATURDAY = 5

_LANGUAGE = "en_US"
_OBSERVED = r"\((?:observed|substituted|in lieu)[^)]*\)"


def holiday_frame(
    country: str,
    subdivision: str | None,
    years: Iterable[int],
    *,
    extra: Path | None = None,
) -> pd.DataFrame:
    """List public holidays, and extra dates of a file.

    Parameters
    ----------
    country
        ISO 3166 code, such as ``US``.
    subdivision
        State or province, such as ``NY``; None: the national days.
    years
        Calendar years.
    extra
        Table date [, name] of further days, such as a local festival.

    Returns
    -------
    pandas.DataFrame
        date (naive midnight), name (English where the package has it; several names joined by
        ``; ``), observed (bool: the day off in lieu of a holiday on a weekend); by date.

    Raises
    ------
    InputError
        When the country or subdivision is unknown, or a date of the file cannot be read.
    """
    wanted = sorted({int(year) for year in years})
    days = _country(country, subdivision, wanted)
    table = pd.DataFrame(sorted(days.items()), columns=["date", "name"])
    table["date"] = pd.to_datetime(table["date"])
    table["observed"] = table["name"].str.contains(_OBSERVED, regex=True).astype(bool)
    if extra is not None:
        table = pd.concat([table, _extra_days(extra, wanted)], ignore_index=True)
        table = (
            table.groupby("date", sort=True)
            .agg(
                name=("name", lambda names: "; ".join(dict.fromkeys(names))),
                observed=("observed", "all"),
            )
            .reset_index()
        )
    return table


def school_day_frame(
    path: Path, *, start: dt.datetime, end: dt.datetime, holidays: pd.DataFrame | None = None
) -> pd.DataFrame:
    """List the school days of a window.

    Parameters
    ----------
    path
        Table with a column ``date`` (one school day a row), or with ``start`` and ``end`` (one
        term a row, both days included): then weekends and `holidays` are taken out. A break
        inside a term is two terms.
    start, end
        Naive local window, the end not included.
    holidays
        As `holiday_frame` gives them; only used with terms.

    Returns
    -------
    pandas.DataFrame
        date (naive midnight), unique, increasing.

    Raises
    ------
    InputError
        With every unreadable date, every term that ends before it starts or overlaps another.
    """
    where = str(path)
    text = read_text_table(path, max_rows=MAX_DAYS)
    faults = FaultList()
    if "date" in text:
        days = dates(text["date"], where=where, faults=faults)
        faults.raise_if_any()
    else:
        missing = need_columns(text, ["start", "end"], where)
        if missing:
            found = f"the columns {', '.join(text.columns[:8])}"
            raise InputError.of(where, found, "date; or start and end of each term")
        days = _term_days(text, where, faults)
        if holidays is not None:
            days = days.difference(pd.DatetimeIndex(holidays["date"]))
    inside = days[(days >= pd.Timestamp(start).normalize()) & (days < pd.Timestamp(end))]
    return pd.DataFrame({"date": inside.unique().sort_values()})


def _term_days(text: pd.DataFrame, where: str, faults: FaultList) -> pd.DatetimeIndex:
    firsts = dates(text["start"], where=where, faults=faults)
    lasts = dates(text["end"], where=where, faults=faults)
    expected = "a last day on or after the first, within a year of it"
    lengths = (lasts - firsts).days.to_numpy()
    wrong = (lengths < 0) | (lengths > 366)
    faults.extend(bad_cells(text["end"], wrong, where=where, expected=expected))
    faults.raise_if_any()
    order = firsts.argsort(kind="stable")
    overlap = (firsts[order][1:] <= lasts[order][:-1]).nonzero()[0]
    if overlap.size:
        term = text["start"].iloc[order[overlap[0] + 1]]
        expected = "terms that do not overlap"
        raise InputError.of(where, f"the term from {term} inside another", expected)
    days = [pd.date_range(a, b) for a, b in zip(firsts, lasts, strict=True)]
    joined = pd.DatetimeIndex([]) if not days else days[0].append(days[1:])
    return joined[joined.dayofweek < SATURDAY]


def _country(country: str, subdivision: str | None, years: list[int]) -> dict[Any, str]:
    import holidays

    supported: dict[str, list[str]] = holidays.list_supported_countries(include_aliases=True)
    if country not in supported:
        do = nearest(country, supported) or "use the ISO 3166 code, such as US"
        raise InputError.of("holidays: country", repr(country), "a known country", do)
    parts = supported[country]
    if subdivision is not None and subdivision not in parts:
        do = (
            nearest(subdivision, parts) or f"one of {', '.join(parts)}" if parts else "leave it out"
        )
        found = repr(subdivision)
        raise InputError.of("holidays: subdivision", found, f"a known part of {country}", do)
    languages = holidays.list_localized_countries().get(country, [])
    language = _LANGUAGE if _LANGUAGE in languages else None
    days = holidays.country_holidays(country, subdiv=subdivision, years=years, language=language)
    return {day: name for day, name in days.items() if day.year in set(years)}


def _extra_days(path: Path, years: list[int]) -> pd.DataFrame:
    where = str(path)
    text = read_text_table(path, max_rows=MAX_DAYS)
    faults = need_columns(text, ["date"], where)
    faults.raise_if_any()
    days = dates(text["date"], where=where, faults=faults)
    faults.raise_if_any()
    names = text["name"].str.strip() if "name" in text else pd.Series("extra day", index=text.index)
    table = pd.DataFrame({"date": days, "name": names.where(names.ne(""), "extra day")})
    table["observed"] = False
    return table[table["date"].dt.year.isin(years)]
