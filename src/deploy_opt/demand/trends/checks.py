"""Refuse settings of a detector that are out of range, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_opt.errors import FaultList

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_settings(rule: object, ranges: Mapping[str, tuple[bool, str]]) -> None:
    """Raise with every setting that is out of range.

    Parameters
    ----------
    rule
        A frozen settings object.
    ranges
        Field -> whether it is in range, and the range in words.

    Raises
    ------
    InputError
        Naming the class, the field, its value and its range.
    """
    faults = FaultList()
    for name, (holds, expected) in ranges.items():
        if not holds:
            faults.add(f"{type(rule).__name__}: {name}", repr(getattr(rule, name)), expected)
    faults.raise_if_any()
