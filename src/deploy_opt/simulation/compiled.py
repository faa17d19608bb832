"""The only door to numba: functions compiled on first use, free of Python's lock.

Numba takes kept code up while the file of the function itself is unchanged; it does not look at
what the function calls. So helpers are never kept, and the one function that is kept carries a
digest of all its sources.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    F = TypeVar("F", bound=Callable[..., object])


def helper(function: F) -> F:
    """Compile a function over arrays that a loop calls; plain with ``NUMBA_DISABLE_JIT=1``.

    It may not make arrays: room to work in is part of the state.
    """
    return _compile(function, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def rare(function: F) -> F:
    """Compile as a `helper`, but as a call of its own: for what few rules of a service need.

    Where it is called from, the loop stays as small as without it.
    """
    return _compile(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def loop(function: F) -> F:
    """Compile a loop and keep its code on disk; plain with ``NUMBA_DISABLE_JIT=1``.

    The loop must use a variable that its maker set to `digest` of every module it calls.
    """
    return _compile(function, cache=True)


def digest(*modules: ModuleType) -> str:
    """Make one name of the source texts of modules."""
    texts = [Path(str(module.__file__)).read_bytes() for module in modules]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def _compile(function: F, **kind: bool) -> F:
    from numba import njit

    # without _nrt the loop would count references to every array at every call: 13 times slower
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
    options.update(kind)
    made: F = njit(**options)(function)
    return made
