"""A year of planning on the records that the plan brings about, in areas that are truly alike.

Run it with ``python benchmarks/bench_closed_loop.py``; it writes
``benchmarks/results/closed_loop.md``. Rates are the house's, plans those of the patrol planner.
"""

from __future__ import annotations

import time
from pathlib import Path

from deploy_opt.demand.feedback import LARGEST_DEVIATION
from deploy_opt.stages.closed_loop import LoopSettings, play_closed_loop

RESULT = Path(__file__).parent / "results" / "closed_loop.md"
SKEWED = (0.4, 0.2, 0.2, 0.2)
CASES = (
    ("calls of the community, a new plan every day", LoopSettings()),
    (
        "the same, patrol skewed 40/20/20/20 before, a plan a week",
        LoopSettings(history_shares=SKEWED, replan_days=7),
    ),
    (
        "with patrols' own finds, 1 an hour, a plan a week",
        LoopSettings(learns_from_finds=True, replan_days=7),
    ),
    (
        "with finds, 1 an hour, skewed before",
        LoopSettings(learns_from_finds=True, history_shares=SKEWED, replan_days=7),
    ),
    (
        "with finds, 4 an hour",
        LoopSettings(learns_from_finds=True, finds_per_unit_hour=4.0, replan_days=7),
    ),
)


def main() -> None:
    """Play the cases and write the table."""
    lines = [
        "# Closed loop of 365 simulated days",
        "",
        "Made by `python benchmarks/bench_closed_loop.py`; simulated, seeds fixed. Four areas,",
        "each its own district, 72 calls of the community a day in each, 46 crews of 8 h. Each",
        "plan is the patrol planner's on the house's rates of the records so far. Deviation: mean",
        "share of an area over any 30 days in a row against .25; one crew is .022 of the shares.",
        f"The gate is {LARGEST_DEVIATION:.2f}.",
        "",
        "| planner learns from | largest deviation | last 30 days | shares at the end | CPU s |",
        "|---|---|---|---|---|",
    ]
    for name, settings in CASES:
        began = time.process_time()
        found = play_closed_loop(settings)
        end = " / ".join(f"{share:.3f}" for share in found.shares[-30:].mean(axis=0))
        lines.append(
            f"| {name} | {found.deviation_any:.3f} | {found.deviation:.3f} | {end} |"
            f" {time.process_time() - began:.0f} |"
        )
        print(lines[-1], flush=True)
    RESULT.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
