"""Turn features into rows of numbers without gaps, as learned on training data alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList
from deploy_opt.privacy.schemas import check_columns
from deploy_opt.risk.officer_risk.features import FEATURES, MARKS, WORDS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LEAST_CALLS_OF_WORD = 50
"""Training calls that a call type or priority needs to have a flag of its own."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How features become columns.

    Attributes
    ----------
    numbers
        Names of the features that are numbers.
    medians
        Training median of each, put where a value is missing, shape (numbers,).
    gaps
        Those of them that had gaps in training: each has a flag ``no <name>``.
    flags
        Pairs of column and word, a flag each.
    """

    numbers: tuple[str, ...]
    medians: tuple[float, ...]
    gaps: tuple[str, ...]
    flags: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of `rows`."""
        gaps = (f"no {name}" for name in self.gaps)
        return (*self.numbers, *gaps, *(f"{column}: {word}" for column, word in self.flags))

    def rows(self, features: pd.DataFrame) -> NDArray[np.float32]:
        """Give the columns of some calls, shape (calls, names).

        Raises
        ------
        InputError
            Names every feature of the model that is missing.
        """
        faults = FaultList()
        for name in dict.fromkeys((*self.numbers, *(column for column, _ in self.flags))):
            if name not in features.columns:
                faults.add("features", f"no {name!r}", "every feature that the model was fitted on")
        faults.raise_if_any()
        numbers = features[list(self.numbers)].to_numpy(np.float32)
        missing = np.isnan(numbers)
        filled = np.where(missing, np.array(self.medians, dtype=np.float32), numbers)
        at = {name: place for place, name in enumerate(self.numbers)}
        gaps = missing[:, [at[name] for name in self.gaps]]
        words = {column: features[column].to_numpy(object) for column, _ in self.flags}
        flags = [words[column] == word for column, word in self.flags]
        return np.column_stack([filled, gaps, *flags]).astype(np.float32)


def learn_encoding(
    features: pd.DataFrame, *, least_calls_of_word: int = LEAST_CALLS_OF_WORD
) -> Encoding:
    """Learn how features become columns.

    Parameters
    ----------
    features
        Of the training calls, as `dispatch_features` gives them.
    least_calls_of_word
        Calls that a word needs for a flag of its own.

    Raises
    ------
    InputError
        For columns about persons and columns that are no listed predictors.
    """
    check_columns(features.columns, allowed=(*MARKS, *FEATURES), where="features")
    words = [name for name in WORDS if name in features.columns]
    numbers = [name for name in FEATURES if name in features.columns and name not in words]
    values = features[numbers].to_numpy(np.float64)
    known = [column[np.isfinite(column)] for column in values.T]
    medians = tuple(float(np.median(column)) if len(column) else 0.0 for column in known)
    gaps = tuple(n for n, k in zip(numbers, known, strict=True) if 0 < len(k) < len(values))
    flags = tuple(
        (column, str(word))
        for column in words
        for word, count in sorted(features[column].value_counts().items())
        if word and least_calls_of_word <= count < len(features)
    )
    return Encoding(tuple(numbers), medians, gaps, flags)
