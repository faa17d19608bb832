"""What a plan of all services gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class CityPlan:
    """A plan of all services.

    Attributes
    ----------
    shared
        Whether the services share one budget in this plan.
    services
        One row a service: service, unit_type, unit_hours, money, limit (money that it may use by
        itself), calls (expected, in the plan's hours), worth (of all of them), reached_separate
        and reached_shared (share of the worth), money_separate, money_shared, money_plan,
        reached_plan.
    units
        service, unit_type, district, hour, post_id, units: where units wait.
    crews
        service, unit_type, district, start_hour, length_h, crews; with weekly patterns, days: days
        in a row from start_hour on.
    district_hours
        As `PatrolPlan.district_hours`.
    need
        Patrol need with a column for each row that asks, see `PatrolNeed.frame`.
    fte, staff, follow_up, released
        Contracts ``fte.csv``, ``staff.csv``, ``follow_up.csv``, ``released_hours.csv``; empty where
        nothing is asked.
    patrol_today
        Today's patrols beside the plan's: district (last row: all), and for today and plan each
        unit_hours, within (share of the most urgent calls within the target), hours_short
        (district-hours below need); empty where today's are not known.
    start_prices
        What few start times of a role cost, see `start_prices.start_price_rows`; empty where no
        role asks.
    last_hours
        service, unit_type, bought_per_1000, lost_per_1000.
    caps
        reason, hours_bound, value_gained, and money moved to each service.
    weights
        service, factor, and money and worth reached of each service.
    hull_bound, location_bound, value
        See `JointPlan`.
    mix_gap, location_gap
        See `JointPlan`.
    value_separate, value_shared
        Worth of the calls reached by the tables, with separate budgets and with one.
    shortfalls
        Floors that are not kept, in words.
    notes
        Assumptions, in words.
    follow_up_words
        How much follow-up work finds room and what it costs; empty where none is asked.
    work
        Work done by the solver.
    """

    shared: bool
    services: pd.DataFrame
    units: pd.DataFrame
    crews: pd.DataFrame
    district_hours: pd.DataFrame
    need: pd.DataFrame
    fte: pd.DataFrame
    patrol_today: pd.DataFrame
    start_prices: pd.DataFrame
    staff: pd.DataFrame
    follow_up: pd.DataFrame
    released: pd.DataFrame
    last_hours: pd.DataFrame
    caps: pd.DataFrame
    weights: pd.DataFrame
    hull_bound: float
    location_bound: float
    value: float
    mix_gap: float
    location_gap: float
    value_separate: float
    value_shared: float
    shortfalls: tuple[str, ...]
    notes: tuple[str, ...]
    follow_up_words: tuple[str, ...]
    work: dict[str, int]

    @property
    def ems_unit_hours(self) -> float:
        """Unit-hours of the ambulances in this plan."""
        row = self.services[self.services["service"] == "ems"]
        return float(row["unit_hours"].iloc[0])
