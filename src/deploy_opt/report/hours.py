"""What the page shows for one hour: worked out once here, and by the same steps in its script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.report.payload import (
    NO_VALUE,
    CallCodes,
    code_calls,
    half_points,
    points,
    shares,
    whole,
)
from deploy_opt.report.words import NONE, area_label, calls_words, signed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.report.results import Comparison

_FEW_LATE_CALLS = 0.1


@dataclass(frozen=True, slots=True)
class Hours:
    """The coded matrices of a page, areas in the order of the areas file.

    Attributes
    ----------
    labels
        Code and place name of each area.
    plan, today
        Cover in half points, shape (areas, hours); 255 where an area has no value.
    calls
        Expected calls.
    """

    labels: tuple[str, ...]
    plan: NDArray[np.uint8]
    today: NDArray[np.uint8]
    calls: CallCodes

    @property
    def late(self) -> NDArray[np.float64]:
        """Calls that the plan is expected to reach late, shape (areas, hours)."""
        return self.calls.calls * (1.0 - np.nan_to_num(shares(self.plan), nan=1.0))

    @property
    def late_digits(self) -> int:
        """Decimals of late calls: two, or three where even the worst area has few of them."""
        worst = self.late.max(axis=0, initial=0.0)
        return 2 if float(np.median(worst)) >= _FEW_LATE_CALLS else 3

    @property
    def busiest(self) -> int:
        """Hour with the most expected calls."""
        return int(self.calls.calls.sum(axis=0).argmax())


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One line of the table "where calls will wait", as it is shown."""

    area: int
    label: str
    late: str
    in_time: str
    bar: int
    change: str
    tone: str
    arrow: str


def code_hours(comparison: Comparison, areas: Areas) -> Hours:
    """Code the matrices of the arms for a page.

    Parameters
    ----------
    comparison
        The arms.
    areas
        The areas; those that the comparison does not know get no value and no calls.
    """
    frame = areas.frame
    position = {area_id: rank for rank, area_id in enumerate(comparison.area_ids)}
    rank = np.array([position.get(area_id, -1) for area_id in frame["area_id"]], dtype=np.int64)
    known = (rank >= 0)[:, None]
    return Hours(
        labels=tuple(
            area_label(str(area_id), str(name))
            for area_id, name in zip(frame["area_id"], frame["name"], strict=True)
        ),
        plan=np.where(known, half_points(comparison.plan.cover)[rank], np.uint8(NO_VALUE)),
        today=np.where(known, half_points(comparison.baseline.cover)[rank], np.uint8(NO_VALUE)),
        calls=code_calls(np.where(known, comparison.rates[rank], 0.0)),
    )


def area_rows(hours: Hours, hour: int, *, limit: int | None = None) -> list[AreaRow]:
    """Rank the areas by the calls that the plan will reach late in an hour.

    Expected late calls decide, not low cover: an area without calls harms nobody.
    """
    late = hours.late[:, hour]
    plan, today = points(hours.plan[:, hour]), points(hours.today[:, hour])
    order, digits = np.argsort(-late, kind="stable")[:limit], hours.late_digits
    rows = []
    for area in order.tolist():
        both = plan[area] >= 0 and today[area] >= 0
        change = int(plan[area] - today[area]) if both else 0
        tone = "same" if change == 0 else ("better" if change > 0 else "worse")
        rows.append(
            AreaRow(
                area=area,
                label=hours.labels[area],
                late=f"{whole(late[area] * 10**digits) / 10**digits:.{digits}f}",
                in_time=NONE if plan[area] < 0 else f"{plan[area]} %",
                bar=max(int(plan[area]), 0),
                change=signed(change),
                tone=tone,
                arrow={"same": "", "better": "▲", "worse": "▼"}[tone],
            )
        )
    return rows


def hour_sentence(hours: Hours, hour: int) -> str:
    """Say what the plan and today reach in one hour."""
    calls = hours.calls.calls[:, hour]
    total = float(calls.sum())
    start = f"{calls_words(total)} expected"
    if total <= 0:
        return f"{start}."
    reached = [
        whole(100 * float((calls * np.nan_to_num(shares(codes[:, hour]))).sum()) / total)
        for codes in (hours.plan, hours.today)
    ]
    return f"{start}; plan reaches {reached[0]} of 100 in time, today {reached[1]}."
