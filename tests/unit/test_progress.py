"""What a run says of itself on standard error."""

from __future__ import annotations

import pytest

from deploy_opt.progress import Progress


def test_a_stage_is_timed_and_said(capsys):
    progress = Progress()
    with progress.stage("travel"):
        pass
    progress.note("plan", 0.0, reused=True)
    assert [t.stage for t in progress.times] == ["travel", "plan"]
    assert [t.reused for t in progress.times] == [False, True]
    said = capsys.readouterr()
    assert not said.out
    assert said.err.splitlines() == ["  travel       0.0 s", "  plan         taken up"]


def test_nothing_is_said_to_machines(capsys):
    progress = Progress(talk=False)
    with progress.stage("travel"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_stage_that_fails_is_not_noted():
    progress = Progress(talk=False)
    with pytest.raises(ValueError, match="no road"), progress.stage("travel"):
        raise ValueError("no road")
    assert not progress.times


def test_a_terminal_sees_a_moving_line(monkeypatch):
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress = Progress()
    with progress.stage("travel"):
        assert not progress.times
    assert progress.times[0].stage == "travel"
