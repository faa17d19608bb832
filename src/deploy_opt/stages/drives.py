"""Drives over the roads as the scenario has them: its speeds, slow hours and drive factor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from deploy_opt.inputs.travel import travel_times

if TYPE_CHECKING:
    import pandas as pd

    from deploy_opt.input_settings import Service
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.settings import Scenario

SIREN_OR_NOT: tuple[Literal["siren", "regular"], ...] = ("siren", "regular")


def drive_times(
    scenario: Scenario,
    service: Service,
    roads: Roads,
    origins: pd.DataFrame,
    destinations: pd.DataFrame,
    *,
    mode: Literal["siren", "regular"] = "siren",
    by_hour: bool = True,
) -> TravelTimes:
    """Measure drives of a service's units between places.

    Parameters
    ----------
    scenario
        Its ``inputs.roads`` and ``inputs.drive_factor``.
    service
        Whose units drive.
    roads
        The road graph.
    origins, destinations
        Places as `deploy_opt.inputs.travel.travel_times` takes them.
    mode
        With the siren or without.
    by_hour
        Whether slow hours of the week count; False: one sheet of free flow.

    Returns
    -------
    TravelTimes
        Seconds in float32 by speed profile.

    Raises
    ------
    InputError
        As `deploy_opt.inputs.travel.travel_times`.
    """
    section = scenario.inputs.roads
    return travel_times(
        roads,
        origins,
        destinations,
        profile=section.profiles if section is not None and by_hour else (),
        mode=mode,
        off_road_kph=section.off_road_kph if section is not None else 20.0,
        drive_factor=scenario.inputs.drive_factor_of(service),
    )
