"""Kept code belongs to its sources: a changed helper is never met by an old loop."""

from __future__ import annotations

import types

from deploy_opt.simulation import dispatch, engine, ways
from deploy_opt.simulation.compiled import digest


def test_the_digest_changes_with_any_source(tmp_path):
    module = types.ModuleType("m")
    module.__file__ = str(tmp_path / "m.py")
    (tmp_path / "m.py").write_text("a = 1\n")
    before = digest(module, ways)
    assert before == digest(module, ways)
    (tmp_path / "m.py").write_text("a = 2\n")
    assert digest(module, ways) != before


def test_the_loop_holds_the_digest_of_all_that_it_calls():
    play = engine._loop()
    cells = [cell.cell_contents for cell in play.py_func.__closure__]
    assert len(cells) == 1
    assert len(cells[0]) == 64
    called = {name for name in vars(engine) if name in vars(ways) or name in vars(dispatch)}
    assert {"drive_s", "choose", "next_waiting"} <= called
