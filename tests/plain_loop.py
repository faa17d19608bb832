"""The event loop without its compiler: the same modules, imported once more as plain Python."""

from __future__ import annotations

import functools
import importlib
import sys
import types

import numba

_PACKAGE = "deploy_opt.simulation"
_LOOP = [f"{_PACKAGE}.{name}" for name in ("agenda", "ways", "standing", "dispatch", "engine")]


@functools.cache
def plain_run_events():
    """Give `engine.run_events` with compilation off."""
    package = importlib.import_module(_PACKAGE)
    importlib.import_module(f"{_PACKAGE}.engine")
    kept = {name: sys.modules.pop(name) for name in _LOOP}
    before = numba.config.DISABLE_JIT
    numba.config.DISABLE_JIT = 1
    try:
        engine = importlib.import_module(f"{_PACKAGE}.engine")
        assert type(engine._loop()) is types.FunctionType  # made now, and kept
        return engine.run_events
    finally:
        numba.config.DISABLE_JIT = before
        sys.modules.update(kept)
        for name, module in kept.items():
            setattr(package, name.rpartition(".")[2], module)
