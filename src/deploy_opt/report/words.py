"""The sentences of the page: right for every sign, every length of plan and every count."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from deploy_opt.report.payload import whole
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
NONE = "–"
_FINE_POINTS = 1.0


def hour_words(hour: int, first_hour: int) -> str:
    """Name an hour of the plan.

    Examples
    --------
    >>> hour_words(113, 0), hour_words(17, 96)
    ('Friday 17:00', 'Friday 17:00')
    """
    of_week = (first_hour + hour) % HOURS_PER_WEEK
    return f"{DAYS[of_week // HOURS_PER_DAY]} {of_week % HOURS_PER_DAY:02d}:00"


def period_word(hours: int) -> str:
    """Name the length of a plan: week, day, or so many days."""
    named = {HOURS_PER_WEEK: "week", HOURS_PER_DAY: "day"}
    return named.get(hours, f"{hours // HOURS_PER_DAY} days")


def plan_dates(start: dt.date, hours: int) -> tuple[str, str]:
    """Name the time a plan is for, short for the head line and with both ends.

    Examples
    --------
    >>> plan_dates(dt.date(2016, 1, 11), 168)
    ('week of 11 January', 'Mon 11 – Sun 17 Jan 2016')
    >>> plan_dates(dt.date(2025, 12, 29), 168)
    ('week of 29 December', 'Mon 29 Dec 2025 – Sun 4 Jan 2026')
    >>> plan_dates(dt.date(2016, 1, 15), 24)
    ('Friday 15 January', 'Fri 15 Jan 2016')
    """
    last = start + dt.timedelta(hours=hours - 1)
    day = f"{start.day} {MONTHS[start.month - 1]}"
    end = f"{DAYS[last.weekday()][:3]} {last.day} {MONTHS[last.month - 1][:3]} {last.year}"
    if hours == HOURS_PER_DAY:
        return f"{DAYS[start.weekday()]} {day}", end
    begin = f"{DAYS[start.weekday()][:3]} {start.day}"
    if (start.year, start.month) != (last.year, last.month):
        begin += f" {MONTHS[start.month - 1][:3]}"
    if start.year != last.year:
        begin += f" {start.year}"
    name = "week of" if hours == HOURS_PER_WEEK else f"{period_word(hours)} from"
    return f"{name} {day}", f"{begin} – {end}"


def shown_pair(plan: float, today: float) -> tuple[int | float, int | float]:
    """Round two shares to points so that their difference says what happened.

    Whole points; tenths where the shares are closer than a point and tenths tell them apart.

    Examples
    --------
    >>> shown_pair(0.92, 0.77), shown_pair(0.924, 0.918), shown_pair(0.9201, 0.9203)
    ((92, 77), (92.4, 91.8), (92, 92))
    """
    tenths = whole(plan * 1000) / 10, whole(today * 1000) / 10
    if abs(plan - today) * 100 < _FINE_POINTS and tenths[0] != tenths[1]:
        return tenths
    if abs(plan - today) * 100 < _FINE_POINTS:
        return (whole(plan * 100),) * 2
    return whole(plan * 100), whole(today * 100)


def headline(plan: float, today: float) -> str:
    """Answer "is it better?" in one sentence.

    Examples
    --------
    >>> headline(0.92, 0.77)
    'The plan reaches 92 of 100 calls in time, 15 more than today.'
    >>> headline(0.74, 0.77)
    'The plan reaches 74 of 100 calls in time, 3 fewer than today.'
    >>> headline(0.92, 0.92)
    'The plan reaches 92 of 100 calls in time, as many as today.'
    >>> headline(0.924, 0.918)
    'The plan reaches 92.4 of 100 calls in time, 0.6 more than today.'
    """
    shown, before = shown_pair(plan, today)
    start = f"The plan reaches {shown} of 100 calls in time, "
    gain = round(shown - before, 1)
    if gain == 0:
        return f"{start}as many as today."
    return f"{start}{abs(gain)} {'more' if gain > 0 else 'fewer'} than today."


def budget_sentence(plan_hours: int, today_hours: int) -> str:
    """Say what the plan costs beside today.

    Examples
    --------
    >>> budget_sentence(9202, 9240)
    '9,202 unit-hours, 38 fewer than today.'
    >>> budget_sentence(2016, 2016)
    "Today's 2,016 unit-hours, moved."
    """
    if plan_hours == today_hours:
        return f"Today's {today_hours:,} unit-hours, moved."
    more = "more" if plan_hours > today_hours else "fewer"
    return f"{plan_hours:,} unit-hours, {abs(plan_hours - today_hours):,} {more} than today."


def losers_sentence(labels: Sequence[str], counted: int) -> str:
    """Say who loses, the hardest hit first.

    Parameters
    ----------
    labels
        Areas that lose more than a point over the plan's time, the hardest hit first.
    counted
        Areas with enough calls to count.

    Examples
    --------
    >>> losers_sentence([], 46)
    'No area loses more than a point.'
    >>> losers_sentence(["10003 Union Square", "10009 East Village"], 46)
    '2 areas lose cover, most of all 10003 Union Square.'
    """
    if not counted:
        return "No area has enough calls to say who loses."
    if not labels:
        return "No area loses more than a point."
    if len(labels) == 1:
        return f"1 area loses cover: {labels[0]}."
    return f"{len(labels)} areas lose cover, most of all {labels[0]}."


def simple_sentence(
    simple: float, plan: float, hours: int, floor: tuple[float, float] | None = None
) -> str:
    """Set a strong simple plan beside the plan: beating a flat roster proves little.

    Parameters
    ----------
    simple, plan
        Shares in time.
    hours
        Unit-hours of the simple plan.
    floor
        Share in time of the simple plan's weakest area, and the floor that the plan keeps; None
        where there is no floor.

    Examples
    --------
    >>> simple_sentence(0.90, 0.92, 9240)
    'A strong simple plan reaches 90 with 9,240 unit-hours.'
    >>> simple_sentence(0.918, 0.92, 9240)
    'A strong simple plan reaches 91.8 (plan 92.0) with 9,240 unit-hours.'
    >>> simple_sentence(0.79, 0.77, 80, (0.17, 0.4))
    'A strong simple plan reaches 79 with 80 unit-hours, its weakest area at 17 (floor 40).'
    """
    there, here = shown_pair(simple, plan)
    close = f" (plan {here})" if isinstance(there, float) else ""
    broken = ""
    if floor is not None and whole(floor[0] * 100) < whole(floor[1] * 100):
        weakest, asked = (whole(share * 100) for share in floor)
        broken = f", its weakest area at {weakest} (floor {asked})"
    return f"A strong simple plan reaches {there}{close} with {hours:,} unit-hours{broken}."


def calls_words(calls: float) -> str:
    """Write a number of expected calls: whole from ten on, one decimal below.

    Examples
    --------
    >>> calls_words(49.6), calls_words(3.24), calls_words(1.0)
    ('50 calls', '3.2 calls', '1.0 calls')
    """
    if calls >= 10:
        return f"{whole(calls):,} calls"
    return f"{whole(calls * 10) / 10:.1f} calls"


def plain(value: float) -> str:
    """Write a number with two decimals, and nothing as 0.00 whatever its sign.

    Examples
    --------
    >>> plain(1749.314), plain(-1e-12)
    ('1,749.31', '0.00')
    """
    return f"{round(value, 2) + 0.0:,.2f}"


def share_words(share: float) -> str:
    """Write a share as whole points, or a dash where there is none."""
    return NONE if math.isnan(share) else str(whole(share * 100))


def signed(value: float) -> str:
    """Write a change with its sign; the minus is as wide as the plus.

    Examples
    --------
    >>> signed(3), signed(-3), signed(0)
    ('+3', '−3', '0')
    """
    if value == 0:
        return "0"
    return f"+{value:g}" if value > 0 else f"−{-value:g}"


def area_label(area_id: str, name: str) -> str:
    """Name an area by code and place, each once.

    Examples
    --------
    >>> area_label("10003", "Union Square"), area_label("A01", "A01")
    ('10003 Union Square', 'A01')
    """
    if not name or name == area_id:
        return area_id
    return name if area_id in name else f"{area_id} {name}"
