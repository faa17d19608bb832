"""What an import gives: incidents, and what was found while reading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from deploy_opt.inputs.records.mapping import IncidentMapping


@dataclass(frozen=True, slots=True)
class Incidents:
    """Incidents of one layout, and what was found while reading them.

    Attributes
    ----------
    frame
        Contract ``incidents.parquet``, in the order of the files. Texts are object columns of
        str or None; times ``datetime64[ns, zone]``; `tier` and `num_units` ``Int64``;
        `self_initiated` ``boolean``; coordinates float.
    traps
        As `traps.traps_table`.
    scorecard
        As `scorecard.score`.
    num_rows_read
        Rows of the files, lines that are no rows not counted.
    num_kept
        Rows of `frame`.
    zone
        Time zone of `frame`.
    mapping
        The mapping that was used.
    """

    frame: pd.DataFrame
    traps: pd.DataFrame
    scorecard: pd.DataFrame
    num_rows_read: int
    num_kept: int
    zone: str
    mapping: IncidentMapping
