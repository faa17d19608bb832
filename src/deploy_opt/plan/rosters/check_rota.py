"""Check duty rosters date by date, with plain loops and nothing of the solver's."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deploy_opt.plan.rosters.duties import Duties
    from deploy_opt.plan.rosters.labour_rules import LabourRules
    from deploy_opt.plan.rosters.rota import Rota

    _Note = Callable[[str, dt.datetime, str], None]

SATURDAY, SUNDAY = 5, 6
_MONDAY = dt.datetime(2024, 1, 1)  # noqa: DTZ001  (local time; any Monday)


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a line of a roster breaks.

    Attributes
    ----------
    rule
        Key of `LabourRules.words`, or ``cover``.
    line
        Who: rota and line, or the shift that is not covered.
    day
        Day of the roster on which it shows.
    words
        What is wrong.
    """

    rule: str
    line: str
    day: int
    words: str


def check_rotas(rotas: Sequence[Rota], duties: Duties, rules: LabourRules) -> tuple[Breach, ...]:
    """Check that rosters cover every crew and keep every rule.

    Each line is written out over dates, from its own week of the roster on, for twice the
    roster and the longest period that a rule counts over; so the turn from the last week to the
    first is seen too.

    Parameters
    ----------
    rotas
        The rosters.
    duties
        Crews wanted by kind of shift and weekday.
    rules
        Rules of the role.

    Returns
    -------
    tuple of Breach
        Empty where all is kept.
    """
    breaches = list(_cover_breaches(rotas, duties))
    for rota in rotas:
        num = len(rota.weeks)
        longest = max(math.ceil(rules.work_period_days / 7), rules.weekends_in, 2)
        weeks = 2 * num + longest
        for line in range(num):
            shifts = []
            for week in range(weeks):
                for weekday in range(7):
                    kind = int(rota.weeks[(line + week) % num][weekday])
                    if kind < 0:
                        continue
                    at = dt.timedelta(days=7 * week + weekday, hours=int(rota.start_h[kind]))
                    shifts.append((_MONDAY + at, int(rota.length_h[kind])))
            name = f"{rota.name}, line {line + 1}"
            breaches += check_line(shifts, rules, first=_MONDAY, days=7 * weeks, line=name)
    return tuple(breaches)


def _cover_breaches(rotas: Sequence[Rota], duties: Duties) -> list[Breach]:
    wanted: dict[tuple[int, int, int], int] = {}
    for kind in range(len(duties.start_h)):
        for weekday in range(7):
            key = (int(duties.start_h[kind]), int(duties.length_h[kind]), weekday)
            wanted[key] = wanted.get(key, 0) + int(duties.crews[kind][weekday])
    for rota in rotas:
        for week in rota.weeks:
            for weekday in range(7):
                kind = int(week[weekday])
                if kind >= 0:
                    key = (int(rota.start_h[kind]), int(rota.length_h[kind]), weekday)
                    wanted[key] = wanted.get(key, 0) - 1
    found = []
    for (start, length, weekday), missing in sorted(wanted.items()):
        if missing != 0:
            kind_words = f"shift of {length} h from {start:02}:00"
            words = f"{abs(missing)} crews too {'few' if missing > 0 else 'many'}"
            found.append(Breach("cover", kind_words, weekday, words))
    return found


def check_line(
    shifts: Sequence[tuple[dt.datetime, int]],
    rules: LabourRules,
    *,
    first: dt.datetime,
    days: int,
    line: str = "",
) -> list[Breach]:
    """Check the dated shifts of one person, in order of start.

    Hours are counted in the calendar period that they fall in, so a night shift over the end of
    a period counts in both. Work periods of whole weeks begin with the week of `first`; others
    are checked from every day. Days are those on which a shift starts. Only periods that lie
    inside the days count.

    Parameters
    ----------
    shifts
        Start (naive local) and length, h.
    rules
        Rules of the role.
    first
        Midnight of the first day, a Monday for rules about weeks.
    days
        Days written out.
    line
        Who, for the words.
    """
    found: list[Breach] = []

    def note(rule: str, when: dt.datetime, words: str) -> None:
        found.append(Breach(rule, line, (when - first).days, words))

    for start, length in shifts:
        if length > rules.max_shift_h:
            note("shift", start, f"a shift of {length} h")
    for (start, length), (after, _) in itertools.pairwise(shifts):
        rest = (after - start).total_seconds() / 3600 - length
        if rest < rules.min_rest_h:
            note("rest", after, f"{rest:g} h of rest")
    starts = {(start - first).days for start, _ in shifts}
    worked = [day in starts for day in range(days)]
    _check_runs(worked, rules, first, note)
    _check_weekends(worked, rules, first, note)
    period = rules.work_period_days
    step = 7 if period % 7 == 0 else 1
    for begin in range(0, days - period + 1, step):
        low = first + dt.timedelta(days=begin)
        high = low + dt.timedelta(days=period)
        hours = 0.0
        for start, length in shifts:
            end = start + dt.timedelta(hours=length)
            inside = min(end, high) - max(start, low)
            hours += max(inside.total_seconds() / 3600, 0.0)
        if hours > rules.hours_in_period + 1e-9:
            note("hours", low, f"{hours:g} h in {period} days")
    return found


def _check_runs(worked: list[bool], rules: LabourRules, first: dt.datetime, note: _Note) -> None:
    run = off = 0
    ever = False
    for day, on in enumerate(worked):
        when = first + dt.timedelta(days=day)
        if on:
            if ever and 0 < off < rules.min_days_off_in_a_row:
                note("off", when, f"{off} days off in a row")
            run, off, ever = run + 1, 0, True
            if run == rules.max_days_in_a_row + 1:
                note("run", when, f"day {run} in a row")
        else:
            run, off = 0, off + 1


def _check_weekends(
    worked: list[bool], rules: LabourRules, first: dt.datetime, note: _Note
) -> None:
    if not rules.weekends_off:
        return
    free = [
        not worked[monday + SATURDAY] and not worked[monday + SUNDAY]
        for monday in range(0, len(worked) - 6, 7)
    ]
    for week in range(len(free) - rules.weekends_in + 1):
        have = sum(free[week : week + rules.weekends_in])
        if have < rules.weekends_off:
            when = first + dt.timedelta(days=7 * week)
            note("weekends", when, f"{have} of {rules.weekends_in} weekends off")
