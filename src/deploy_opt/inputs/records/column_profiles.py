"""Look at the values of a file's columns: which are times, coordinates, codes or flags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.records.times import NO_TIME, read_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.cells import Cells

MAX_SAMPLE = 4000
_MOST = 0.9
_DAY_NS = 86_400_000_000_000
TIME_FORMATS = (
    "iso",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%y %I:%M:%S %p",
    "%m/%d/%y %I:%M %p",
    "%m/%d/%y %H:%M:%S",
    "%m/%d/%y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y %b %d %I:%M:%S %p",
    "%b %d %Y %I:%M:%S:%f%p",
    "%b %d %Y %I:%M%p",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%y %I.%M.%S %p",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%Y%m%d",
)
CLOCK_FORMATS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H%M")
_YES_NO = frozenset("yes no y n true false t f 0 1".split())  # noqa: SIM905  (reads as a list)


@dataclass(frozen=True, slots=True)
class Profile:
    """What the values of one column look like.

    Attributes
    ----------
    header
        Name of the column.
    words
        The name in lower case, its words parted by one space.
    kind
        ``time``, ``date``, ``clock`` (time of day), ``number``, ``flag``, ``text`` or ``empty``.
    format
        Format of a time, date or clock.
    either_way
        Whether day and month of the dates may as well be swapped.
    times
        Wall times of the sample rows (NaT where none); shape (sample,).
    numbers
        Numbers of the sample rows (NaN where none); shape (sample,).
    num_distinct
        Distinct texts.
    present
        Share of rows with a text.
    examples
        Up to three texts.
    """

    header: str
    words: str
    kind: str
    format: str
    either_way: bool
    times: NDArray[np.datetime64]
    numbers: NDArray[np.float64]
    num_distinct: int
    present: float
    examples: tuple[str, ...]


def name_words(header: str) -> str:
    """Part a header into lower-case words.

    Examples
    --------
    >>> name_words("TimeCreate"), name_words("FIRST_ON_SCENE_DATETIME"), name_words("Call.Type")
    ('time create', 'first on scene datetime', 'call type')
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", header)
    return " ".join(re.findall(r"[a-z]+|\d+", parted.lower()))


def profile_column(cells: Cells) -> Profile:
    """Profile one column from a sample of its rows."""
    codes = cells.codes[:MAX_SAMPLE]
    used, inverse = np.unique(codes[codes >= 0], return_inverse=True)
    texts = cells.unique[used]
    rows = np.flatnonzero(codes >= 0)
    kind, text_format, either_way, by_text = _time_kind(texts)
    times = np.full(len(codes), NO_TIME)
    if by_text is not None:
        times[rows] = by_text[inverse]
    values = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=float)
    numbers = np.full(len(codes), np.nan)
    numbers[rows] = values[inverse] if len(texts) else []
    if not kind:
        kind = _other_kind(texts, values)
    return Profile(
        cells.header,
        name_words(cells.header),
        kind,
        text_format,
        either_way,
        times,
        numbers,
        len(texts),
        len(rows) / max(1, len(codes)),
        tuple(str(t) for t in texts[np.unique(inverse[:200])[:3]]) if len(texts) else (),
    )


def _other_kind(texts: NDArray[np.object_], values: NDArray[np.float64]) -> str:
    if not len(texts):
        return "empty"
    if all(t.lower() in _YES_NO for t in texts) and len(texts) >= 2:
        return "flag"
    return "number" if np.isfinite(values).mean() >= _MOST else "text"


def _time_kind(
    texts: NDArray[np.object_],
) -> tuple[str, str, bool, NDArray[np.datetime64] | None]:
    """Kind, format, whether day and month may be swapped, and the times by text."""
    if not len(texts) or np.mean([any(c.isdigit() for c in t) for t in texts]) < _MOST:
        return "", "", False, None
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=float)
    if np.isfinite(numbers).mean() >= _MOST:
        return _epoch_kind(texts, numbers)
    probe = texts[:: max(1, len(texts) // 200)]
    shares = [_share_read(probe, text_format) for text_format in TIME_FORMATS]
    best = int(np.argmax(shares))
    if shares[best] >= _MOST:
        text_format = TIME_FORMATS[best]
        wall = read_times(texts, (text_format,), zone=None).wall
        ns = wall[~np.isnat(wall)].astype(np.int64)
        kind = "date" if not (ns % _DAY_NS).any() else "time"
        swapped = text_format.replace("%m/%d", "%d/%m")
        either = swapped != text_format and swapped in TIME_FORMATS
        either = either and shares[TIME_FORMATS.index(swapped)] >= shares[best]
        return kind, text_format, either, wall
    for text_format in CLOCK_FORMATS:
        if _share_read(probe, text_format) >= _MOST:
            return "clock", text_format, False, None
    return "", "", False, None


def _epoch_kind(
    texts: NDArray[np.object_], numbers: NDArray[np.float64]
) -> tuple[str, str, bool, NDArray[np.datetime64] | None]:
    middle = float(np.nanmedian(numbers))
    for text_format, low, high in (("epoch_ms", 6e11, 3e12), ("epoch_s", 6e8, 3e9)):
        if low < middle < high:
            return "time", text_format, False, read_times(texts, (text_format,), zone=None).utc
    return "", "", False, None


def _share_read(texts: NDArray[np.object_], text_format: str) -> float:
    read = read_times(texts, (text_format,), zone=None)
    return float(np.mean(~np.isnat(read.utc) | read.sentinel)) if len(texts) else 0.0
