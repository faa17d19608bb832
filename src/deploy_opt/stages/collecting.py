"""Gather the faults of one input and go on with the next."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy_opt.errors import FaultList


@contextmanager
def collecting(faults: FaultList) -> Iterator[None]:
    """Note the faults of a reader and go on with the next one."""
    try:
        yield
    except InputError as error:
        faults.extend(error.faults)
