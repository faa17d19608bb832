"""Labour rules of a role as data: hours by work period, rest, runs, weekends."""

from __future__ import annotations

import math
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import yaml
from pydantic import Field, ValidationError, model_validator

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.input_settings import Section
from deploy_opt.staffing import DAYS_PER_YEAR
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_opt.plan.rosters.patterns import Pattern

Basis = Literal["flsa_40h", "flsa_7k_law", "flsa_7k_fire", "contract"]

HOURS_PER_DAY_7K = {"law": 6.11, "fire": 7.57}
"""Hours a day of the work period, 29 CFR 553.230(c): 171 / 28 and 212 / 28, rounded."""
SHORTEST_7K_DAYS, LONGEST_7K_DAYS = 7, 28
_FILE = "labour_rules.yaml"


def max_hours_7k(kind: Literal["law", "fire"], work_period_days: int) -> int:
    """Give the hours of a work period above which overtime is due.

    Fair Labor Standards Act, section 7(k); 29 CFR 553.230: hours in proportion to the days,
    rounded to whole hours.

    Parameters
    ----------
    kind
        ``law`` enforcement or ``fire`` protection.
    work_period_days
        7 to 28.

    Raises
    ------
    InputError
        Another kind, or a period that the section does not know.

    Examples
    --------
    >>> [max_hours_7k("law", days) for days in (28, 21, 14, 7)]
    [171, 128, 86, 43]
    >>> [max_hours_7k("fire", days) for days in (28, 21, 14, 7)]
    [212, 159, 106, 53]
    """
    if kind not in HOURS_PER_DAY_7K:
        raise InputError.of("kind", repr(kind), "law or fire")
    if not SHORTEST_7K_DAYS <= work_period_days <= LONGEST_7K_DAYS:
        raise InputError.of("work_period_days", str(work_period_days), "7 to 28 days")
    return math.floor(HOURS_PER_DAY_7K[kind] * work_period_days + 0.5)


class LabourRules(Section):
    """What a roster of one role must keep."""

    title: str = ""
    """The role in reports."""
    basis: Basis = "contract"
    """Where the hours come from: ``flsa_40h`` (40 h in 7 days), ``flsa_7k_law``, ``flsa_7k_fire``,
    or ``contract`` (`max_hours`)."""
    work_period_days: int = Field(7, ge=1, le=28)
    """Length of the work period, days. Periods of whole weeks begin with the roster's week; others
    may begin on any day, so each is looked at."""
    max_hours: float | None = Field(None, gt=0)
    """Most hours in a work period, h; default: what the basis allows without overtime."""
    max_shift_h: int = Field(24, ge=1, le=48)
    """Longest shift, h."""
    min_rest_h: float = Field(0.0, ge=0, le=96)
    """Least rest between two shifts, h."""
    max_days_in_a_row: int = Field(6, ge=1, le=28)
    """Most days in a row on which a shift starts."""
    min_days_off_in_a_row: int = Field(1, ge=1, le=7)
    """Fewest days off in a row, where there are any."""
    weekends_off: int = Field(0, ge=0, le=13)
    """Weekends (no shift on Saturday or Sunday) that must be off in any `weekends_in`."""
    weekends_in: int = Field(4, ge=1, le=13)
    """Weeks that `weekends_off` counts over."""
    warn_from_shift_h: int | None = Field(None, ge=1)
    """Warn of shifts this long or longer (EMS fatigue guideline 2018: shorter than 24 h)."""

    @model_validator(mode="after")
    def _possible(self) -> LabourRules:
        wrong = []
        if self.basis == "contract" and self.max_hours is None:
            wrong.append("max_hours, as the basis contract says none")
        if self.basis == "flsa_40h" and self.work_period_days != 7:
            wrong.append("work_period_days: 7, as 40 h are counted over a fixed week")
        if self.basis.startswith("flsa_7k") and self.work_period_days < SHORTEST_7K_DAYS:
            wrong.append("work_period_days of 7 to 28 under section 7(k)")
        if self.weekends_off > self.weekends_in:
            wrong.append(f"weekends_off of at most weekends_in ({self.weekends_in})")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def hours_in_period(self) -> float:
        """Most hours in a work period, h."""
        if self.max_hours is not None:
            return self.max_hours
        if self.basis == "flsa_40h":
            return 40.0
        kind: Literal["law", "fire"] = "law" if self.basis == "flsa_7k_law" else "fire"
        return float(max_hours_7k(kind, self.work_period_days))

    @property
    def hours_per_week(self) -> float:
        """The same as a mean of the week, h."""
        return self.hours_in_period * 7 / self.work_period_days

    def words(self) -> dict[str, str]:
        """Name every rule in words, by key."""
        found = {
            "hours": f"at most {self.hours_in_period:g} h in {self.work_period_days} days",
            "shift": f"no shift above {self.max_shift_h} h",
            "rest": f"at least {self.min_rest_h:g} h of rest between shifts",
            "run": f"at most {self.max_days_in_a_row} days in a row",
            "off": f"at least {self.min_days_off_in_a_row} days off in a row",
            "weekends": f"{self.weekends_off} of any {self.weekends_in} weekends off",
        }
        if self.min_rest_h <= 0:
            del found["rest"]
        if self.min_days_off_in_a_row == 1:
            del found["off"]
        if self.weekends_off == 0:
            del found["weekends"]
        return found

    def warnings(self, lengths_h: list[int]) -> tuple[str, ...]:
        """Say in words which lengths are allowed and yet unwise."""
        if self.warn_from_shift_h is None:
            return ()
        long = sorted({length for length in lengths_h if length >= self.warn_from_shift_h})
        return tuple(
            f"shifts of {length} h: the EMS fatigue guideline (NHTSA/NASEMSO 2018) advises shifts "
            f"shorter than {self.warn_from_shift_h} h"
            for length in long
        )


@lru_cache(maxsize=1)
def load_labour_rules() -> Mapping[str, LabourRules]:
    """Read the rules that come with deploy_opt, by role."""
    text = (resources.files("deploy_opt.plan.rosters") / _FILE).read_text(encoding="utf-8")
    return _rules_of(yaml.safe_load(text), _FILE)


def read_labour_rules(path: str | Path) -> Mapping[str, LabourRules]:
    """Read the rules of a file of one's own, laid out as the shipped one.

    Raises
    ------
    InputError
        A file that cannot be read, an unknown key, rules that no roster keeps: all of them.
    """
    file = Path(path)
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found = str(error).splitlines()[0]
        raise InputError.of(str(file), found, "labour rules by role, in YAML") from None
    return _rules_of(tree, str(file))


def _rules_of(tree: Any, where: str) -> dict[str, LabourRules]:  # noqa: ANN401 - what YAML holds
    if not isinstance(tree, dict) or not tree:
        raise InputError.of(where, "no roles", "ROLE: {basis, max_hours, min_rest_h, ...}")
    faults, found = FaultList(), {}
    for role, value in tree.items():
        try:
            found[str(role)] = LabourRules.model_validate(value)
        except ValidationError as error:
            for item in error.errors():
                key = ".".join([str(role), *map(str, item["loc"])])
                message = item["msg"].removeprefix("Value error, ")
                near = ""
                if item["type"] == "extra_forbidden":
                    near = nearest(str(item["loc"][-1]), LabourRules.model_fields)
                faults.add(f"{where}: {key}", repr(item["input"])[:80], message, near)
    faults.raise_if_any()
    return found


def labour_rules(role: str) -> LabourRules:
    """Give the shipped rules of a role.

    Raises
    ------
    InputError
        An unknown role; names those there are.
    """
    known = load_labour_rules()
    if role not in known:
        raise InputError.of("role", repr(role), ", ".join(known), nearest(role, known))
    return known[role]


def pattern_faults(one: Pattern, rules: LabourRules) -> tuple[str, ...]:
    """Say in words which rules a pattern breaks when a crew works it without end.

    Parameters
    ----------
    one
        The pattern.
    rules
        The rules of the role.

    Returns
    -------
    tuple of str
        Empty where it keeps them all.
    """
    from datetime import datetime, timedelta

    from deploy_opt.plan.rosters.check_rota import check_line

    monday = datetime(2024, 1, 1)  # noqa: DTZ001  (local time; any Monday)
    days = 2 * one.cycle_days * 7 + 7 * max(rules.weekends_in, rules.work_period_days)
    worked = one.on_days(days)
    shifts = [
        (monday + timedelta(days=day), one.shift_h) for day in range(days) if bool(worked[day])
    ]
    breaches = check_line(shifts, rules, first=monday, days=days)
    return tuple(dict.fromkeys(breach.rule for breach in breaches))


def overtime_hours_per_year(one: Pattern, rules: LabourRules) -> float:
    """Give the overtime that a pattern carries by itself, mean h a year of one person.

    Work periods follow one another from the first day of the cycle, for as many days as both
    need to repeat. It is pay, not people: the relief factor and vacancies come on top.

    Examples
    --------
    >>> from deploy_opt.plan.rosters.patterns import pattern
    >>> round(overtime_hours_per_year(pattern("24-48"), labour_rules("firefighter")), 1)
    156.4
    """
    period = rules.work_period_days
    days = math.lcm(period, one.cycle_days)
    hours = np.zeros(days * HOURS_PER_DAY)
    starts = np.flatnonzero(one.on_days(days)) * HOURS_PER_DAY
    for start in starts.tolist():
        hours[np.arange(start, start + one.shift_h) % hours.size] += 1.0
    in_period = hours.reshape(-1, period * HOURS_PER_DAY).sum(axis=1)
    over = np.maximum(in_period - rules.hours_in_period, 0.0).sum()
    return float(over * DAYS_PER_YEAR / days)
