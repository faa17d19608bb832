"""From the frame of a fleet to units, spells on duty and breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.simulation.arrays import BREAKS, FLEET, SPELLS, records
from deploy_opt.simulation.faults import note_nodes, some

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.errors import FaultList
    from deploy_opt.simulation.arrays import Records

FLEET_COLUMNS = ("unit_id", "unit_type", "home_node")
BREAK_COLUMNS = ("unit_id", "from_s", "length_s")


def read_units(
    fleet: pd.DataFrame, num_nodes: int, faults: FaultList
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the fleet into units and spells on duty.

    Returns
    -------
    tuple
        One row per unit in order of first appearance (unit_id, unit_type, home_node, and district
        and mutual_aid where given), and its spells (unit, on_from_s, on_to_s, home_node) by start.
    """
    where = "fleet"
    note_nodes(fleet["home_node"], num_nodes, f"{where}: home_node", faults)
    whole = "on_from_s" not in fleet
    kept = [name for name in (*FLEET_COLUMNS, "district", "mutual_aid") if name in fleet]
    same = kept if whole else [name for name in kept if name != "home_node"]
    units = fleet[kept].drop_duplicates(same, ignore_index=True)
    if units["unit_id"].isna().any():
        faults.add(f"{where}: unit_id", "a missing one", "a name in every row")
    twice = units.loc[units["unit_id"].duplicated(), "unit_id"]
    if len(twice):
        expected = "one type and one home per unit" if whole else "one type per unit"
        faults.add(f"{where}: unit_id", some(twice), expected)
    spells = pd.DataFrame({"unit": pd.factorize(fleet["unit_id"])[0]})
    spells["on_from_s"] = -np.inf if whole else fleet["on_from_s"].to_numpy(dtype=np.float64)
    spells["on_to_s"] = np.inf if whole else fleet["on_to_s"].to_numpy(dtype=np.float64)
    spells["home_node"] = fleet["home_node"].to_numpy()
    ids = fleet["unit_id"].to_numpy()
    bad = ~(spells["on_from_s"] < spells["on_to_s"]).to_numpy()
    if bad.any():
        faults.add(f"{where}: on_from_s, on_to_s", some(ids[bad]), "a start before its end")
    by_unit = spells.sort_values(["unit", "on_from_s"], kind="stable")
    early = (by_unit["on_from_s"] < by_unit.groupby("unit")["on_to_s"].shift()).to_numpy()
    if early.any():
        overlapping = ids[by_unit.index.to_numpy()[early]]
        faults.add(f"{where}: on_from_s, on_to_s", some(overlapping), "spells that do not overlap")
    return units, spells.sort_values("on_from_s", kind="stable", ignore_index=True)


def read_breaks(breaks: pd.DataFrame | None, units: pd.DataFrame, faults: FaultList) -> Records:
    """Read breaks (unit_id, from_s, length_s), by start."""
    none = records(BREAKS, 0, unit=0, from_s=0.0, length_s=0.0)
    if breaks is None:
        return none
    missing = [name for name in BREAK_COLUMNS if name not in breaks]
    if missing:
        faults.add("breaks", f"no {', '.join(missing)}", f"columns {', '.join(BREAK_COLUMNS)}")
        return none
    unit = pd.Index(units["unit_id"]).get_indexer_for(breaks["unit_id"])
    times = breaks[["from_s", "length_s"]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if (unit < 0).any():
        strangers = breaks["unit_id"].to_numpy()[unit < 0]
        faults.add("breaks: unit_id", some(strangers), "units of the fleet")
    if not (np.isfinite(times).all() and (times[:, 1] >= 0).all()):
        faults.add("breaks: from_s, length_s", "a missing or negative one", "seconds")
    order = np.argsort(times[:, 0], kind="stable")
    start, length = times[order, 0], times[order, 1]
    return records(BREAKS, order.size, unit=unit[order], from_s=start, length_s=length)


def make_fleet(
    units: pd.DataFrame,
    spells: pd.DataFrame,
    unit_type: NDArray[np.int64],
    district: NDArray[np.int64],
) -> tuple[Records, Records]:
    """Lay units and spells out for the loop; a unit begins at the home of its first spell."""
    home = np.empty(len(units), dtype=np.int64)
    spell_unit = spells["unit"].to_numpy(dtype=np.int64)
    spell_home = spells["home_node"].to_numpy(dtype=np.int64)
    home[spell_unit[::-1]] = spell_home[::-1]
    aid = units["mutual_aid"].to_numpy(dtype=np.bool_) if "mutual_aid" in units else False
    fleet = records(
        FLEET, len(units), unit_type=unit_type, home=home, district=district, mutual_aid=aid
    )
    start, end = spells["on_from_s"].to_numpy(), spells["on_to_s"].to_numpy()
    duty = records(SPELLS, len(spells), unit=spell_unit, from_s=start, to_s=end, home=spell_home)
    return fleet, duty
