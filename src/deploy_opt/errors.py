"""What went wrong, said so that the reader can mend it.

A fault says where it is, what was found, what is allowed and what to do. Readers collect every
fault of an input and raise once (`FaultList`). The command line turns each error class into its
exit code: 2 bad input, 3 infeasible, 4 stopped early with a usable plan, 5 internal error.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an input.

    Attributes
    ----------
    where
        File and key path or row, such as ``city.yaml: fleet.units`` or ``cad.csv: row 17, lat``.
    found
        What stands there.
    expected
        What is allowed there.
    do
        What to do about it; may be empty when `expected` says it.
    """

    where: str
    found: str
    expected: str
    do: str = ""

    def __str__(self) -> str:
        """One line: ``where: found ..., expected ...; do``."""
        line = f"{self.where}: found {self.found}, expected {self.expected}"
        return f"{line}; {self.do}" if self.do else line


class DeployOptError(Exception):
    """Base of every error that deploy_opt raises on purpose."""

    exit_code = 5


class InputError(DeployOptError, ValueError):
    """The input cannot be used; carries every fault that was found."""

    exit_code = 2

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @classmethod
    def of(cls, where: str, found: str, expected: str, do: str = "") -> InputError:
        """Make an error of a single fault."""
        return cls([Fault(where, found, expected, do)])


class NotYetError(InputError):
    """The scenario asks for a part of deploy_opt that does not work yet."""


class OfflineError(InputError, ConnectionError):
    """A step that needs the network could not reach it."""


class InfeasibleError(DeployOptError, ValueError):
    """No plan satisfies the rules; names the ones that conflict."""

    exit_code = 3

    def __init__(self, rules: Iterable[str]) -> None:
        self.rules = tuple(rules)
        super().__init__("no plan satisfies these rules together:\n" + "\n".join(self.rules))


class SolverError(DeployOptError, RuntimeError):
    """A solver failed for a reason that is not the model's."""


class FaultList:
    """Collects faults and raises them together.

    Examples
    --------
    >>> faults = FaultList()
    >>> faults.add("a.yaml: seed", "'x'", "a whole number")
    >>> faults.raise_if_any()
    Traceback (most recent call last):
    ...
    deploy_opt.errors.InputError: a.yaml: seed: found 'x', expected a whole number
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, where: str, found: str, expected: str, do: str = "") -> None:
        """Note one fault."""
        self._faults.append(Fault(where, found, expected, do))

    def extend(self, faults: Iterable[Fault]) -> None:
        """Note the faults of another reader."""
        self._faults.extend(faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults so far, in the order they were found."""
        return tuple(self._faults)

    def raise_if_any(self) -> None:
        """Raise `InputError` with every fault noted so far, if there is one."""
        if self._faults:
            raise InputError(self._faults)


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Say which allowed name is meant, as a clause for `Fault.do`.

    Parameters
    ----------
    name
        The name that was found.
    allowed
        The names that are allowed there.

    Returns
    -------
    str
        ``did you mean 'x'?``, or an empty string when nothing is near.
    """
    by_lower = {a.lower(): a for a in allowed}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean {by_lower[close[0]]!r}?" if close else ""
