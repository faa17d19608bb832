"""Hold linear algebra to one thread, so that its sums are the same on any number of cores."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable

T = TypeVar("T")
R = TypeVar("R")


def one_thread() -> contextlib.AbstractContextManager[object]:
    """Make a context in which BLAS and OpenMP use one thread each; what they used comes back after.

    A product of matrices that several threads share is added up in another order, so its last
    digits depend on the number of threads, and a search that compares two near plans can end at
    another one. Libraries that are loaded inside the context keep their own number, which is why
    scipy's are loaded here.
    """
    import scipy.linalg  # noqa: F401  (loads scipy's own BLAS beside numpy's)
    from threadpoolctl import threadpool_limits

    limits: contextlib.AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def on_one_thread(work: Callable[[T], R], unit: T) -> R:
    """Apply a function to one unit of work in `one_thread`; a function of a module, for workers."""
    with one_thread():
        return work(unit)
