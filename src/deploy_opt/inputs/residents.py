"""Lay residents on the areas that are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.inputs.areas import codes
from deploy_opt.inputs.population import read_population

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from deploy_opt.inputs.areas import Areas


def read_residents(
    path: Path, areas: Areas, counted: Iterable[str]
) -> tuple[dict[str, float] | None, tuple[str, ...]]:
    """Read the residents of every area; those of merged areas are added up.

    Parameters
    ----------
    path
        Table area_id, population; other columns are not looked at.
    areas
        The areas; ids that were merged into one count there.
    counted
        Areas of the counts, also those without a shape.

    Returns
    -------
    residents : dict or None
        area_id -> residents, 0 where the table does not hold the area; None when it holds none.
    notes : tuple of str
        Which areas the table does not hold, in words.

    Raises
    ------
    InputError
        For faults of the table, see `read_population`.
    """
    read = read_population(path, groups=())
    code = codes(areas)
    known = pd.Series(read.residents, index=[code.get(area, area) for area in read.area_ids])
    every = sorted({*areas.frame["area_id"], *counted})
    found = known.groupby(level=0).sum().reindex(every)
    missing = found.index[found.isna()]
    if len(missing) == len(found):
        return None, (f"{path.name} holds none of the areas: their residents are not known",)
    notes: tuple[str, ...] = ()
    if len(missing):
        words = f"{path.name} lacks {len(missing)} of {len(found)} areas such as {missing[0]}"
        notes = (f"{words}: no residents are assumed there",)
    return {str(area): float(number) for area, number in found.fillna(0.0).items()}, notes
