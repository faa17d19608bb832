"""A response standard of a scenario: its limit, its clock, and what the plan aims at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from deploy_opt.input_settings import Id, Section, Share
from deploy_opt.standard_profiles import load_profile, with_profile
from deploy_opt.units import SECONDS_PER_MINUTE

Objective = Literal["coverage", "response_time", "survival"]
Seconds = Annotated[float, Field(gt=0, le=14400)]

_LONGEST = 2.5
_WHOLE = 1e-6


class ResponseLayer(Section):
    """A response limit and what it is worth to keep it."""

    drive_limit_s: Seconds | None = None
    """Limit on driving alone, s."""
    response_limit_s: Seconds | None = None
    """Limit from the call to arrival, s; instead of `drive_limit_s`."""
    worth: float = Field(gt=0, le=1)
    """Share of a call's worth that this limit brings; the shares of a standard sum to 1."""

    @model_validator(mode="after")
    def _one_clock(self) -> ResponseLayer:
        if (self.drive_limit_s is None) == (self.response_limit_s is None):
            msg = "either drive_limit_s or response_limit_s"
            raise ValueError(msg)
        return self

    def drive_s(self, before_drive_s: float) -> float:
        """Give the limit on the drive, s, after call processing and turnout."""
        if self.drive_limit_s is not None:
            return self.drive_limit_s
        return (self.response_limit_s or 0.0) - before_drive_s


class DriveLayer(Section):
    """A limit on the drive and its worth, as the deployment model takes it."""

    drive_limit_s: float = Field(gt=0)
    """Limit, s."""
    worth: float = Field(gt=0)
    """Share of a call's worth; those of a plan sum to 1."""


def clock_words(seconds: float) -> str:
    """Write a length of time in minutes and seconds.

    Examples
    --------
    >>> clock_words(539), clock_words(240), clock_words(45), clock_words(93.75)
    ('8 min 59 s', '4 min', '45 s', '1 min 34 s')
    """
    minutes, rest = divmod(round(seconds), int(SECONDS_PER_MINUTE))
    parts = [f"{minutes} min"] if minutes else []
    return " ".join([*parts, f"{rest} s"] if rest or not parts else parts)


class Standard(Section):
    """A response standard; the drive limit is what is left after processing and turnout.

    The standard's limit is what reports count as in time and what floors hold. What the
    plan aims at is its objective: the calls within that limit, or response layers.
    """

    profile: str | None = None
    """A named standard (`deploy-opt standards` lists them) or a .yaml file of your own; keys
    written beside it win over its values."""
    call_class: Id | None = Field(None, validate_default=True)
    """Class of calls or zone of the profile, such as ``C1``; needed where it has several."""
    label: str = ""
    """Words for reports; default: made from the numbers."""
    title: str = ""
    """Name of the standard with its edition; stands before the numbers."""
    source: str = ""
    """Where the numbers come from and how sure they are; printed under the report."""
    drive_limit_s: Seconds | None = None
    """Limit on driving alone, s."""
    response_limit_s: Seconds | None = None
    """Limit from the call to arrival, s; instead of `drive_limit_s`."""
    processing_s: float = Field(60.0, ge=0)
    """Call processing time, s."""
    turnout_s: float = Field(60.0, ge=0)
    """Turnout time, s."""
    clock_start: str = Field("the call", min_length=1)
    """Event that starts the clock of the response; what comes before it is not counted."""
    clock_stop: str = Field("arrival", min_length=1)
    """Event that stops the clock."""
    target_share: Share | None = 0.9
    """Share of calls that should meet the standard; null: it sets none."""
    mean_response_limit_s: Seconds | None = None
    """Limit on the mean response, s, where the standard sets one; reported beside the plan's."""
    objective: Objective = "coverage"
    """What the plan aims at: coverage, the calls within the standard or within `layers`;
    response_time, the least mean response; survival, by the steps of `survival`."""
    layers: tuple[ResponseLayer, ...] = ()
    """Coverage at several limits, each with its worth; limits rise. Default: the standard's."""
    survival: tuple[tuple[Seconds, Annotated[float, Field(gt=0, le=1)]], ...] = ()
    """Steps [response s, share of patients who survive]; later responses: none."""
    time_steps: int = Field(12, ge=2, le=60)
    """Steps in which response_time counts the drive."""
    longest_response_s: float | None = Field(None, gt=0, le=36000)
    """What response_time counts a call at that no free unit reaches sooner, s; default: 2.5 times
    the drive limit, after processing and turnout."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_profile(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, Mapping) or not isinstance(value.get("profile"), str):
            return value
        try:
            return with_profile(value, _opener(info))
        except ValueError:
            return value  # the checks of profile and call_class say what is wrong

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            load_profile(value, _opener(info))
        return value

    @field_validator("call_class")
    @classmethod
    def _known_class(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "profile" not in info.data:  # wrong itself
            return value
        profile = info.data["profile"]
        if profile is not None:
            load_profile(profile, _opener(info)).values(value)
        elif value is not None:
            msg = "a profile beside it"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _one_clock(self) -> Standard:
        if (self.drive_limit_s is None) == (self.response_limit_s is None):
            msg = "either drive_limit_s or response_limit_s"
            raise ValueError(msg)
        if self.drive_s <= 0:
            msg = "processing_s and turnout_s that leave time to drive"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _aim_holds_together(self) -> Standard:
        wrong = []
        if self.layers and self.objective != "coverage":
            wrong.append(f"layers with objective: coverage alone, not with {self.objective}")
        if bool(self.survival) != (self.objective == "survival"):
            wrong.append("survival steps [[response_s, share], ...] with objective: survival")
        wrong += self._wrong_layers() + self._wrong_survival()
        if self.longest_drive_s <= self.drive_s:
            wrong.append("a longest_response_s above the standard's limit")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _wrong_layers(self) -> list[str]:
        limits = [layer.drive_s(self.before_drive_s) for layer in self.layers]
        wrong = []
        if any(limit <= 0 for limit in limits):
            wrong.append("layers whose limits leave time to drive")
        if any(after <= before for before, after in pairwise(limits)):
            wrong.append("layers whose limits rise, counted as drives")
        total = sum(layer.worth for layer in self.layers)
        if self.layers and abs(total - 1.0) > _WHOLE:
            wrong.append(f"layers whose worths sum to 1, not {total:g}")
        return wrong

    def _wrong_survival(self) -> list[str]:
        wrong = []
        if any(after[0] <= before[0] for before, after in pairwise(self.survival)):
            wrong.append("survival steps at rising times")
        if any(after[1] >= before[1] for before, after in pairwise(self.survival)):
            wrong.append("survival that falls from step to step")
        if self.survival and self.survival[0][0] <= self.before_drive_s:
            wrong.append(
                f"survival steps after processing_s and turnout_s ({self.before_drive_s:g} s)"
            )
        return wrong

    @property
    def drive_s(self) -> float:
        """Limit on the drive, s."""
        if self.drive_limit_s is not None:
            return self.drive_limit_s
        return (self.response_limit_s or 0.0) - self.processing_s - self.turnout_s

    @property
    def before_drive_s(self) -> float:
        """Call processing and turnout, s."""
        return self.processing_s + self.turnout_s

    @property
    def longest_drive_s(self) -> float:
        """Drive that a call counts at which no free unit reaches sooner, s."""
        if self.longest_response_s is None:
            return _LONGEST * self.drive_s
        return self.longest_response_s - self.before_drive_s

    @property
    def drive_layers(self) -> tuple[DriveLayer, ...]:
        """The objective as limits on the drive with their worths; none: the standard's own limit.

        - coverage: the `layers` as given.
        - response_time: the time saved against the longest drive T, in n steps of T / n. A limit
          in the middle of each step, all of the same worth, counts a drive at the nearest step:
          mean drive = T (1 - value per call).
        - survival: the step function divided by its first step, so that the worths sum to 1.
        """
        before = self.before_drive_s
        if self.objective == "response_time":
            worth = 1.0 / self.time_steps
            limits = [(n + 0.5) * worth * self.longest_drive_s for n in range(self.time_steps)]
            return tuple(DriveLayer(drive_limit_s=limit, worth=worth) for limit in limits)
        if self.objective == "survival":
            shares = [share for _, share in self.survival] + [0.0]
            drops = [share - after for share, after in pairwise(shares)]
            return tuple(
                DriveLayer(drive_limit_s=time - before, worth=drop / shares[0])
                for (time, _), drop in zip(self.survival, drops, strict=True)
            )
        return tuple(
            DriveLayer(drive_limit_s=layer.drive_s(before), worth=layer.worth)
            for layer in self.layers
        )

    @property
    def words(self) -> str:
        """The standard in words, with its clock."""
        if self.label:
            return self.label
        name = f"{self.title}, " if self.title else ""
        if self.drive_limit_s is not None:
            return f"{name}within {clock_words(self.drive_limit_s)} of driving"
        return f"{name}within {self._response_words(self.drive_s)}"

    def _response_words(self, drive_s: float) -> str:
        return (
            f"{clock_words(drive_s + self.before_drive_s)} of {self.clock_start} "
            f"({self.processing_s:g} s processing, {self.turnout_s:g} s turnout, "
            f"{drive_s:g} s driving)"
        )

    @property
    def aim_words(self) -> str:
        """What the plan aims at, in words; limits as responses with their drive."""
        before, layers = self.before_drive_s, self.drive_layers
        if not layers:
            return "calls within the standard"
        if self.objective == "response_time":
            return (
                f"the least mean response from {self.clock_start} to {self.clock_stop}, drives "
                f"counted in steps of {clock_words(self.longest_drive_s / self.time_steps)} up to "
                f"{clock_words(self.longest_drive_s)}, which also stands where no unit is free"
            )
        if self.objective == "survival":
            steps = [
                f"{share:.0%} within {clock_words(time)} ({time - before:g} s driving)"
                for time, share in self.survival
            ]
            return f"survival, by steps of the response: {', '.join(steps)}, nobody later"
        parts = [
            f"{layer.worth:.0%} within {self._response_words(layer.drive_limit_s)}"
            for layer in layers
        ]
        return f"calls answered early, a call's worth made up of {', '.join(parts)}"

    def value_words(self, value: float) -> str:
        """Say what a value per call of the response layers means.

        Parameters
        ----------
        value
            Expected worth of a call, between 0 and 1.
        """
        if self.objective == "response_time":
            seconds = self.before_drive_s + self.longest_drive_s * (1.0 - value)
            return f"{clock_words(seconds)} mean response"
        if self.objective == "survival":
            return f"{value * self.survival[0][1]:.1%} survive"
        return f"{value:.2%}"


def profile_rows(profile: str) -> list[dict[str, Any]]:
    """Describe every class of a profile as plain values, its standard resolved.

    Parameters
    ----------
    profile
        A shipped name, or a file that ends in .yaml.

    Raises
    ------
    ValueError
        When the profile cannot be read, or a class of it makes no standard.
    """
    read = load_profile(profile)
    rows = []
    for name, chosen in read.classes.items():
        standard = Standard.model_validate({"profile": profile, "call_class": name})
        rows.append(
            {
                "profile": read.name,
                "edition": read.edition,
                "service": read.service,
                "call_class": name,
                "words": standard.words,
                "statistic": chosen.statistic,
                "mark": chosen.mark,
                "drive_s": standard.drive_s,
                "aim": standard.aim_words,
                "standard": standard.model_dump(mode="json"),
            }
        )
    return rows


def _opener(info: ValidationInfo) -> Callable[[str], Path]:
    context: dict[str, Any] = info.context or {}
    opener: Callable[[str], Path] = context.get("path", Path)
    return opener
