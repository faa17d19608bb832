"""Every constant of the risk matrix, as one frozen section."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from deploy_opt.errors import Fault, InputError, nearest
from deploy_opt.input_settings import Section, Share
from deploy_opt.staffing import Formula

if TYPE_CHECKING:
    from collections.abc import Mapping

Tier = Annotated[int, Field(ge=1, le=4)]
CellRow = tuple[Tier, Tier, Tier, Tier, Tier]
Exclusion = Literal["drop", "numerator_only", "keep"]


class Deferral(Section):
    """What becomes of Tier 4 calls, as shares; the rest keep a patrol."""

    online: Share = 0.0
    """Share reported online."""
    call_back: Share = 0.0
    """Share answered by telephone later."""
    civilian: Share = 0.0
    """Share answered by civilian staff."""

    @property
    def released(self) -> float:
        """Share of the hours that patrols no longer spend."""
        return self.online + self.call_back + self.civilian

    @model_validator(mode="after")
    def _at_most_all(self) -> Deferral:
        if self.released > 1 + 1e-9:
            msg = "shares online, call_back and civilian of at most 1 together"
            raise ValueError(msg)
        return self


class RiskSettings(Section):
    """The risk matrix: what counts, how it is rated, and what it needs."""

    origin: Literal["community", "all"] = "community"
    """Calls that count: the community's own, or those that officers started too."""
    years: tuple[Annotated[int, Field(ge=1900, le=2200)], ...] | None = None
    """Reference years; default: all in the data."""
    half: Literal["first", "second"] | None = None
    """Only the first or second half of the months; for sensitivity runs."""
    period_days: float | None = Field(None, gt=0)
    """Days with records, where the data have holes; years and half take their share of them.

    Default: every day from the first to the last call."""
    uof: Exclusion = "drop"
    """Calls with use of force: left out, kept without their outcome, or kept."""
    officer_injured: Exclusion = "drop"
    """Calls in which an officer was the injured person."""
    nibrs_person: Exclusion = "drop"
    """Calls with a NIBRS crime against a person; leaving them out lowers the measured risk."""
    count_excluded_hours: bool = False
    """Whether excluded calls count in the hours and FTE."""
    als_no_transport: Literal[2, 4] = 2
    """Severity of an ALS visit without transport."""
    likelihood_cuts: tuple[Share, Share, Share, Share] = (0.01, 0.05, 0.10, 0.25)
    """Highest rates of very unlikely, unlikely, possible and likely."""
    gap_policy: Literal["very_likely", "likely"] = "very_likely"
    """Rates between the last cut and gap_end, which the Seattle brief leaves open."""
    gap_end: Share = 0.5
    """Where very likely begins in the brief."""
    min_worst_outcomes: int = Field(2, ge=1)
    """Types with fewer worst outcomes get no automatic tier."""
    unreviewed_tier: Tier = 1
    """Tier of such a type until somebody reviews it."""
    credible_worst_case: bool = False
    """Rate a type by the worst severity that at least min_worst_outcomes calls reached."""
    cell_map: (
        Literal["seattle_like", "icao", "product"]
        | tuple[CellRow, CellRow, CellRow, CellRow, CellRow]
    ) = "seattle_like"
    """Tier of each cell: by name, or 5 rows (very likely first) of 5 severities (1 first)."""
    tolerable_cut: int = Field(8, ge=1, le=25)
    """icao: tolerable cells with likelihood x severity of at least this are Tier 2, others 3."""
    product_cuts: tuple[int, int, int] = (15, 8, 5)
    """product: least likelihood x severity of Tier 1, 2 and 3."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Level of the Clopper-Pearson intervals."""
    harm: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Harm of a call type on a scale of the agency's; splits Tier 4 into high and low harm."""
    high_harm: float = Field(1.0, ge=0)
    """Harm from which on a type is of high harm."""
    formula: Formula = "relief_factor"
    """How hours become FTE."""
    relief_factor: float = Field(1.2, ge=1, le=10)
    """People per person at work."""
    paid_hours: float = Field(2080.0, gt=0, le=8760)
    """Paid hours of one FTE, h a year."""
    unavailable_hours: float = Field(0.0, ge=0)
    """Leave, training and other paid hours away, h a year; for net hours and minimum posts."""
    revert_share: Share = 0.0
    """Share of the Tier 2 co-responder time after the scene is safe, which becomes Tier 3."""
    minimum_posts: dict[Literal[2, 3], Annotated[float, Field(ge=0)]] = {}
    """Co-responder posts that are always filled, by tier."""
    prompt_share: float | None = Field(None, gt=0, lt=1)
    """Least share of calls that a co-responder starts within prompt_wait_min; none: no check."""
    prompt_wait_min: float = Field(15.0, ge=0)
    """Longest wait that counts as prompt, min."""
    deferral: Deferral = Deferral()
    """What becomes of Tier 4 calls."""

    @field_validator("likelihood_cuts")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in itertools.pairwise(value)):
            msg = "four rising rates"
            raise ValueError(msg)
        return value

    @field_validator("product_cuts")
    @classmethod
    def _falling(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(low <= high for low, high in itertools.pairwise(value)):
            msg = "three falling products, Tier 1 first"
            raise ValueError(msg)
        return value

    @field_validator("years")
    @classmethod
    def _some_year(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value == ():
            msg = "at least one year; leave it out for all"
            raise ValueError(msg)
        return value if value is None else tuple(sorted(set(value)))

    @field_validator("cell_map")
    @classmethod
    def _protective(cls, value: str | tuple[CellRow, ...]) -> str | tuple[CellRow, ...]:
        if not isinstance(value, str) and (cell := first_slack(value)):
            msg = f"no less protective tier where calls are worse or likelier: see {cell}"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _fits(self) -> RiskSettings:
        if self.unavailable_hours >= self.paid_hours:
            msg = "unavailable_hours below paid_hours"
            raise ValueError(msg)
        if self.gap_end < self.likelihood_cuts[-1]:
            msg = "a gap_end that is not below the last of likelihood_cuts"
            raise ValueError(msg)
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of all constants; two runs with the same digest rated alike."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def first_slack(rows: tuple[CellRow, ...]) -> str:
    """Name the first cell that is less protective than a milder or rarer one, or nothing.

    Parameters
    ----------
    rows
        Tiers, shape (5, 5): very likely first, severity 1 first.

    Examples
    --------
    >>> first_slack(((4, 3, 2, 1, 1),) * 5)
    ''
    """
    for row in range(5):
        for severity in range(5):
            name = f"likelihood {5 - row}, severity {severity + 1}"
            tier = rows[row][severity]
            if severity and tier > rows[row][severity - 1]:
                return f"{name} (Tier {tier}) beside severity {severity}"
            if row and rows[row - 1][severity] > tier:
                return f"likelihood {6 - row}, severity {severity + 1} above {name} (Tier {tier})"
    return ""


def _other_form(loc: tuple[int | str, ...], kind: str, value: object) -> bool:
    """Whether a fault is of the form of cell_map, name or rows, that the value does not have."""
    if isinstance(value, str):
        return kind == "tuple_type"
    return any("literal[" in str(part) for part in loc) and loc[0] == "cell_map"


def risk_settings(params: RiskSettings | Mapping[str, object] | None) -> RiskSettings:
    """Check the constants of a risk matrix.

    Parameters
    ----------
    params
        The section itself, its keys, or nothing for the defaults.

    Raises
    ------
    InputError
        For every unknown key and wrong value, at once.
    """
    if isinstance(params, RiskSettings):
        return params
    try:
        return RiskSettings.model_validate(dict(params or {}))
    except ValidationError as error:
        faults = []
        for item in error.errors():
            if _other_form(item["loc"], item["type"], item["input"]):
                continue
            key = ".".join(str(part) for part in item["loc"] if "[" not in str(part))
            if item["type"] == "extra_forbidden":
                near = nearest(key, RiskSettings.model_fields)
                faults.append(Fault(f"params: {key}", "an unknown key", "a known key", near))
                continue
            words = str(item.get("ctx", {}).get("error", item["msg"]))
            words = words.removeprefix("Input should be ")
            found = repr(item["input"]) if item["loc"] else "keys that do not fit together"
            found = found if len(found) <= 60 else f"{found[:57]}..."
            faults.append(Fault(f"params: {key}", found, words))
        raise InputError(faults) from error
