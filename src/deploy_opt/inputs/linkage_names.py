"""Score how well the persons of a call and an aid run agree, where a stated basis allows it.

Only the named column is read, and only for pairs that are near in place and time; nothing but the
score leaves this module.

References
----------
Winkler (1990), String comparator metrics and enhanced decision rules in the Fellegi-Sunter model of
record linkage, Proc. Survey Research Methods, American Statistical Association.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST_WORDS = 2
_WORD = re.compile(r"[^\W\d_]{2,}")
_HASH = r"[0-9A-Fa-f]{32,}"
_KINDS = ("hashed", "jaro_winkler")

_PLAIN = """
    array_to_string(list_sort(string_split(trim(
        regexp_replace(strip_accents(lower({0})), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g')), ' ')), ' ')
"""
_SCORES = f"""
    WITH plain AS (
        SELECT row, nullif({_PLAIN.format("first")}, '') AS first,
               nullif({_PLAIN.format("second")}, '') AS second
        FROM texts)
    SELECT jaro_winkler_similarity(first, second) AS score FROM plain ORDER BY row
"""  # noqa: S608  (no text from outside)


@dataclass(frozen=True, slots=True)
class NameStep:
    """How persons are compared, and why that is allowed.

    Attributes
    ----------
    kind
        ``hashed``: keyed hashes, equal or not (score 1 or 0). ``jaro_winkler``: names, compared in
        lower case without accents and marks, their words in alphabetical order.
    column
        Column with the hash or name, in both tables.
    basis
        The legal basis in words, such as ``data agreement 2026-14, reviewed by counsel``.
    least_score
        Pairs whose known score is below are no candidates, 0..1.

    Raises
    ------
    InputError
        If the basis is not stated in words, or the kind or score is none.
    """

    kind: Literal["hashed", "jaro_winkler"]
    column: str
    basis: str
    least_score: float = 0.0

    def __post_init__(self) -> None:
        faults = FaultList()
        if self.kind not in _KINDS:
            faults.add("names: kind", repr(self.kind), " or ".join(_KINDS))
        if len(_WORD.findall(self.basis)) < _FEWEST_WORDS:
            faults.add(
                "names: basis",
                repr(self.basis),
                "the legal basis of linking by name, in words",
                "state it, or link by place and time alone",
            )
        if not 0.0 <= self.least_score <= 1.0:
            faults.add("names: least_score", repr(self.least_score), "a share 0..1")
        faults.raise_if_any()


def name_scores(
    calls: pd.DataFrame,
    aid_runs: pd.DataFrame,
    call_rows: NDArray[np.int64],
    aid_rows: NDArray[np.int64],
    *,
    names: NameStep,
) -> NDArray[np.float64]:
    """Score the persons of candidate pairs.

    Parameters
    ----------
    calls, aid_runs
        The tables, with the column of `names`.
    call_rows, aid_rows
        Row positions of the pairs, shape (pairs,).
    names
        The step.

    Returns
    -------
    numpy.ndarray
        0..1, shape (pairs,); NaN where a side has no name.

    Raises
    ------
    InputError
        If a table lacks the column, or it should hold hashes and does not.
    """
    faults = FaultList()
    for where, table in (("calls", calls), ("aid runs", aid_runs)):
        if names.column not in table.columns:
            faults.add(where, f"no column {names.column!r}", "the column of names on both sides")
        elif names.kind == "hashed":
            texts = table[names.column].dropna().astype(str)
            odd = int((~texts.str.fullmatch(_HASH)).sum())
            if odd:
                found = f"{odd} values that are no hash"
                do = "hash them with privacy.keys.keyed_hash"
                faults.add(f"{where}: {names.column}", found, "32 or more hexadecimal digits", do)
    faults.raise_if_any()
    first, second = (
        table[names.column].astype("string").str.strip().iloc[rows].reset_index(drop=True)
        for table, rows in ((calls, call_rows), (aid_runs, aid_rows))
    )
    if names.kind == "hashed":
        same = first.str.lower() == second.str.lower()
        return np.asarray(same.astype("Float64").to_numpy(np.float64, na_value=math.nan))
    return _jaro_winkler(first, second)


def _jaro_winkler(first: pd.Series, second: pd.Series) -> NDArray[np.float64]:
    import duckdb

    texts = pd.DataFrame({"first": first.astype(object), "second": second.astype(object)})
    texts = texts.where(texts.notna(), None).assign(row=np.arange(len(texts)))
    with duckdb.connect() as connection:
        connection.register("texts", texts.astype({"first": "string", "second": "string"}))
        score = connection.execute(_SCORES).fetchnumpy()["score"]
    return np.asarray(np.ma.filled(np.ma.asarray(score, dtype=np.float64), math.nan))
