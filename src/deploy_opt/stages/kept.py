"""What finished stages hand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.demand.forecast import DemandForecast
    from deploy_opt.inputs.base_map import BaseMap
    from deploy_opt.inputs.travel import TravelTimes


@dataclass(frozen=True, slots=True)
class Calls:
    """Every incident of the scenario, located, and what was found while reading.

    Attributes
    ----------
    incidents
        Contract ``incidents.parquet``.
    traps, scorecard
        As the importer gives them, with the column ``file``.
    notes
        Faults found, in words.
    others
        role, tier, hours_per_year: work of responders of the police that are no patrols; None:
        the scenario has no tiers.
    released
        Contract ``released_hours.csv``; None likewise.
    """

    incidents: pd.DataFrame
    traps: pd.DataFrame
    scorecard: pd.DataFrame
    notes: tuple[str, ...]
    others: pd.DataFrame | None = None
    released: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """Counts and their forecast.

    Attributes
    ----------
    counts
        Contract ``counts.parquet``.
    forecast
        The forecast of every service.
    window
        First and last day learnt from, in words.
    notes
        Faults found and masked, assumptions.
    """

    counts: pd.DataFrame
    forecast: DemandForecast
    window: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """Posts, demand points and travel times.

    Attributes
    ----------
    posts
        As `read_posts`, candidates included; row order is the posts axis everywhere.
    hospitals
        As `read_hospitals`; None where the scenario names none.
    times
        Posts x demand points x speed profile.
    hospital_drive_s
        Mean drive from a call to the nearest hospital, s; None without hospitals or roads.
    lines
        Roads for the base map.
    attribution
        Credit line of the map.
    base_map
        Land and water behind the map; None where the scenario names none.
    notes
        What is unreachable or far from a road, in words.
    """

    posts: pd.DataFrame
    hospitals: pd.DataFrame | None
    times: TravelTimes
    hospital_drive_s: float | None
    lines: tuple[tuple[str, tuple[NDArray[np.float64], ...]], ...]
    attribution: str
    base_map: BaseMap | None
    notes: tuple[str, ...]
