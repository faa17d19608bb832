"""Population groups of a scenario, laid out for what is simulated: weights, facts and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_opt.judge import residents
from deploy_opt.report.simulated_groups import GroupFacts
from deploy_opt.simulation.groups import group_weights
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from deploy_opt.settings import Scenario
    from deploy_opt.simulation.groups import GroupWeights

NOTE = (
    "Groups are residents of areas, never persons who call: a group's figures are those of the "
    "areas, weighed by how many of the group live there, as `deploy-opt audit` weighs them. An "
    "area that expects less than one call counts by its calls."
)


def groups_of(
    scenario: Scenario, area_ids: Sequence[str], calls: NDArray[np.floating]
) -> tuple[GroupWeights | None, tuple[str, ...]]:
    """Lay out the population groups of a scenario.

    Parameters
    ----------
    scenario
        With inputs.population, or there are no groups.
    area_ids
        The areas axis.
    calls
        Expected calls of each area in the hours simulated, shape (areas,).

    Returns
    -------
    tuple
        The weights, None without groups; and what a reader must know.
    """
    people, words = residents(scenario, area_ids)
    if people is None:
        return None, ()
    rules, hours = scenario.equity, scenario.horizon.hours
    found, left_out = group_weights(
        people,
        area_ids,
        calls,
        min_residents=rules.min_group_residents,
        min_calls=rules.min_calls_per_week * hours / HOURS_PER_WEEK,
    )
    if not found.residents[0] or len(found.names) < 2:
        return None, ()
    few = ", ".join(name.replace("_", " ") for name in left_out)
    said = (f"Too few residents or calls to tell of: {few}.",) if left_out else ()
    return found, (NOTE, *(f"{line}." for line in words), *said)


def group_facts(
    service: str,
    groups: GroupWeights | None,
    *,
    reached: NDArray[np.floating] | None = None,
    calls: NDArray[np.floating] | None = None,
) -> tuple[GroupFacts, ...]:
    """Give what a page says of the groups of a service; nothing without groups.

    Parameters
    ----------
    service
        The service.
    groups
        The weights.
    reached, calls
        Calls that the model of the plan reaches in time and all that it expects, by area.
    """
    if groups is None:
        return ()
    people = dict(zip(groups.names, groups.residents.tolist(), strict=True))
    model: dict[str, float] = {}
    if reached is not None and calls is not None:
        shares = (groups.weights @ reached) / (groups.weights @ calls)
        model = dict(zip(groups.names, shares.tolist(), strict=True))
    return (GroupFacts(service, people, model),)
