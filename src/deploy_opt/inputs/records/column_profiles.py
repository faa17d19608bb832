"""Look at the values of a file's columns: which are times, durations, coordinates, codes, flags."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.records.points import pairs_of_text
from deploy_opt.inputs.records.time_looks import TimeLook, look_at_times
from deploy_opt.inputs.records.times import NO_TIME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.cells import Cells

MAX_SAMPLE = 6000
_MOST = 0.9
_MAX_COMMON = 60
_RUN_TOGETHER = re.compile(
    r"^(event|call|incident|case|report|arrival|arrive|dispatch|response|occur|offense|create|clear"
    r"|close|unit|recd?|start|end|disp|alarm)(date|time|dttm|dt|tm|datetime|type|code|desc|number"
    r"|num|no|id)$"
)
_YES_NO = frozenset("yes no y n true false t f 0 1".split())  # noqa: SIM905  (reads as a list)


@dataclass(frozen=True, slots=True)
class Profile:
    """What the values of one column look like.

    Attributes
    ----------
    header
        Name of the column.
    words
        The name in lower case without accents, its words parted by one space.
    kind
        ``time``, ``date``, ``clock`` (time of day), ``hour``, ``duration`` (such as 0:07:30),
        ``number``, ``flag``, ``point`` (text with two coordinates), ``text`` or ``empty``.
    look
        Formats and values of a time, date, clock, hour or duration.
    times
        Times of the sample rows on the clock of the file (NaT where none); shape (sample,).
    numbers
        Numbers of the sample rows (NaN where none), seconds of clocks and durations; shape
        (sample,).
    num_filled, num_distinct
        Cells with a text, and distinct texts, of the whole first batch.
    present
        Share of rows with a text.
    examples
        Up to three texts.
    common
        The most common texts, at most 60, with their counts.
    time_of_day
        Header of the time of day that belongs to the dates of `header`.
    """

    header: str
    words: str
    kind: str
    look: TimeLook | None
    times: NDArray[np.datetime64]
    numbers: NDArray[np.float64]
    num_filled: int
    num_distinct: int
    present: float
    examples: tuple[str, ...]
    common: dict[str, int]
    time_of_day: str = ""

    @property
    def distinct_share(self) -> float:
        """Distinct texts per cell with a text."""
        return self.num_distinct / max(1, self.num_filled)


def name_words(header: str) -> str:
    """Part a header into lower-case words without accents.

    Examples
    --------
    >>> name_words("TimeCreate"), name_words("FIRST_ON_SCENE_DATETIME"), name_words("Call.Type")
    ('time create', 'first on scene datetime', 'call type')
    >>> name_words("Priorität"), name_words("EVENTDT")
    ('prioritat', 'event dt')
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", header)
    plain = unicodedata.normalize("NFKD", parted)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    found = re.findall(r"[^\W\d_]+|\d+", plain.lower())
    return " ".join(_RUN_TOGETHER.sub(r"\1 \2", word) for word in found)


def profile_column(cells: Cells, decimal: str = ".") -> Profile:
    """Profile one column from rows spread over a batch.

    Parameters
    ----------
    cells
        The column.
    decimal
        Mark of the decimals.
    """
    sample = np.unique(np.linspace(0, max(0, len(cells.codes) - 1), MAX_SAMPLE).astype(np.int64))
    codes = cells.codes[sample] if len(cells.codes) else cells.codes
    used, inverse = np.unique(codes[codes >= 0], return_inverse=True)
    texts = cells.unique[used]
    rows = np.flatnonzero(codes >= 0)
    words = name_words(cells.header)
    values = _numbers(texts, decimal)
    look = look_at_times(texts, values, words)
    times, numbers = np.full(len(codes), NO_TIME), np.full(len(codes), np.nan)
    if len(texts):
        times[rows] = look.times[inverse] if look is not None else NO_TIME
        by_text = look.seconds if look is not None and look.seconds is not None else values
        numbers[rows] = by_text[inverse]
    counts = np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.unique))
    top = np.argsort(-counts, kind="stable")[:_MAX_COMMON]
    return Profile(
        cells.header,
        words,
        look.kind if look is not None else _other_kind(texts, values),
        look,
        times,
        numbers,
        int(counts.sum()),
        int((counts > 0).sum()),
        float(cells.present.mean()) if len(cells.codes) else 0.0,
        tuple(str(t) for t in texts[np.unique(inverse[:200])[:3]]) if len(texts) else (),
        {str(cells.unique[place]): int(counts[place]) for place in top if counts[place]},
    )


def _numbers(texts: NDArray[np.object_], decimal: str) -> NDArray[np.float64]:
    if decimal == ",":
        texts = np.array([t.replace(".", "").replace(",", ".") for t in texts], dtype=object)
    series = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce")
    values = series.to_numpy(dtype=float)
    return np.where(np.isfinite(values), values, np.nan)


def _other_kind(texts: NDArray[np.object_], values: NDArray[np.float64]) -> str:
    if not len(texts):
        return "empty"
    if all(t.lower() in _YES_NO for t in texts) and len(texts) >= 2:
        return "flag"
    if np.isfinite(values).mean() >= _MOST:
        return "number"
    x, _, _ = pairs_of_text(texts[:: max(1, len(texts) // 200)], "lat_lon")
    return "point" if np.isfinite(x).mean() > _MOST / 2 else "text"
