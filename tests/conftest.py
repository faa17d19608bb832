"""Shared by all tests: hypothesis without clocks, and a count of the real and browser tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")

KINDS = {"real": "real-data", "browser": "browser"}


def _count(reporter, kind, outcomes):
    reports = [r for outcome in outcomes for r in reporter.stats.get(outcome, [])]
    return sum(1 for r in reports if kind in getattr(r, "keywords", {}))


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    for kind, words in KINDS.items():
        ran = _count(terminalreporter, kind, ("passed", "failed"))
        skipped = _count(terminalreporter, kind, ("skipped",))
        terminalreporter.write_line(f"{words} tests: {ran} ran, {skipped} skipped")


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    for kind in os.environ.get("DEPLOY_OPT_EXPECT_TESTS", "").split():
        ran = _count(reporter, kind, ("passed", "failed"))
        skipped = _count(reporter, kind, ("skipped",))
        if skipped or not ran:
            reporter.write_line(
                f"{KINDS[kind]} tests were expected to run: {ran} ran, {skipped} skipped"
            )
            session.exitstatus = 1
