"""The three-service Manhattan week: one plan for ambulances, patrol and co-responders.

``DEPLOY_OPT_REAL_DATA=... python benchmarks/bench_joint.py`` runs every part but the one big model,
which ``--only monolith`` adds; ``--only NAME`` runs one part. Each part replaces its own section of
``benchmarks/results/joint.md``. The laws of the case stand in ``benchmarks/joint_cases.py``.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from joint_cases import manhattan_week

from deploy_opt.plan.engines.outcomes import Limits
from deploy_opt.plan.joint import extensive_model
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import plan_services
from deploy_opt.plan.solver import solve

RESULT = Path(__file__).parent / "results" / "joint.md"
TITLE = (
    "# One plan for three services: the Manhattan week\n\n"
    "Real roads, areas and ambulance calls; police and crisis calls are synthetic; the laws\n"
    "stand in `benchmarks/joint_cases.py`. 600 demand points, 60 posts, 60 patrol cells, 168 h,\n"
    "four unit types, budget 1.10 x the cheapest staffing that keeps the busy caps. Worth counts\n"
    "calls reached in time by the classes' weights. CPU seconds, one thread, proofs included.\n"
)
PATTERNS = ((5, 8), (4, 10), (3, 12))
PASSES = 4
ROUNDED = Limits(gap=1.0)


def write_section(title, lines):
    """Put a section into the result page, in place of the one of the same title."""
    text = RESULT.read_text(encoding="utf-8") if RESULT.exists() else TITLE
    head, *parts = text.split("\n## ")
    sections = {part.splitlines()[0]: part.rstrip() for part in parts}
    sections[title] = "\n".join([title, "", *lines])
    pages = [head.rstrip(), *(f"## {part}" for part in sections.values())]
    RESULT.write_text("\n\n".join(pages) + "\n", encoding="utf-8")
    print(f"## {title}\n\n" + "\n".join(lines) + "\n", flush=True)


WITHIN = Limits(gap=3e-3, node_limit=50)


def timed(question, limits=WITHIN, **how):
    """Plan and give the CPU seconds beside the plan."""
    begin = time.process_time()
    plan = plan_services(question, limits=limits, **how)
    return time.process_time() - begin, plan


def mean_units(plan):
    """Write the mean units on duty of each type."""
    return ", ".join(f"{name} {units.sum() / len(units):.1f}" for name, units in plan.units.items())


def row(name, seconds, plan):
    """Write one line of the table of plans."""
    total = (1 + plan.mix_gap) * (1 + plan.location_gap) / (1 - plan.link_loss) - 1
    return (
        f"| {name} | {plan.value:,.1f} | {plan.mix_gap:.4%} | {plan.location_gap:.4%} "
        f"| {plan.link_loss:.4%} | {total:.4%} | {seconds:.0f} | {mean_units(plan)} |"
    )


HEAD = (
    "| shifts | worth | mix gap | location gap | links | in all | CPU s | units on duty, mean |",
    "|---|---|---|---|---|---|---|---|",
)


def bench_plan():
    """Daily shifts, weekly patterns and separate budgets."""
    cases = (
        ("daily, one budget", {}),
        ("daily, a budget for each service", {"shared": False}),
        ("weekly 5 x 8, 4 x 10, 3 x 12 h", {"patterns": PATTERNS}),
        ("weekly 4 x 10 h alone", {"patterns": ((4, 10),)}),
    )
    lines = list(HEAD)
    for name, how in cases:
        seconds, plan = timed(manhattan_week(**how))
        lines.append(row(name, seconds, plan))
        lines += [
            f"| | {short.reason}: {short.unit_hours} unit-hours short | | | | | | |"
            for short in plan.shortfalls
        ]
    lines += [
        "",
        "At most 2 moves of each type an hour. Mix gap: crews, against the concave hull of the",
        "values of all numbers of units; location gap: positions, against a linear bound of every",
        "hour; links: what the limit on moves costs.",
    ]
    write_section("The plan", lines)


def true_value(question, plan):
    """Judge a plan with the busy fractions of its own units on duty."""
    total = 0.0
    for pool in question.pools:
        model = pool_model(question, pool)
        total += model.value(tuple(plan.units[kind.name] for kind in model.kinds)).sum()
    return float(total)


def bench_frozen():
    """Freeze busy fractions, plan, bring them up to date: the textbook fixed point."""
    question = replace(manhattan_week(max_moves=None), corrected=False)
    seconds, free = timed(question, ROUNDED, certify=False)
    lines = [
        "Independent busy units in both, crews rounded and exchanged, no limit on moves. Busy",
        "fractions are first frozen at nine tenths of the first plan's units on duty.",
        "",
        "| how | pass | worth by its own busy fractions | CPU s | units on duty, mean |",
        "|---|---|---|---|---|",
        f"| inside the values | | {free.value:,.1f} | {seconds:.0f} | {mean_units(free)} |",
    ]
    names = [kind.name for kind in question.types]
    staffing = np.stack([free.units[name].sum(axis=1) for name in names])
    staffing = np.maximum(np.round(staffing * 0.9), 1).astype(np.int64)
    spent = 0.0
    for number in range(1, PASSES + 1):
        seconds, plan = timed(question, ROUNDED, certify=False, frozen=staffing)
        spent += seconds
        worth = true_value(question, plan)
        lines.append(
            f"| frozen | {number} | {worth:,.1f} ({worth / free.value - 1:+.2%}) | {spent:.0f} "
            f"| {mean_units(plan)} |"
        )
        after = np.stack([plan.units[name].sum(axis=1) for name in names])
        if np.array_equal(after, staffing):
            break
        staffing = after
    write_section("Busy fractions frozen", lines)


def first_day(question):
    """Cut the first day out of the week, with shifts that lie inside it."""

    def cut(kind):
        inside = kind.columns.on_duty[:, :24].sum(axis=1) == kind.columns.on_duty.sum(axis=1)
        columns = replace(
            kind.columns,
            start_hour=kind.columns.start_hour[inside],
            length_h=kind.columns.length_h[inside],
            on_duty=kind.columns.on_duty[inside, :24],
        )
        return replace(kind, columns=columns, lower=kind.lower[:24], upper=kind.upper[:24])

    return replace(
        question,
        profile_of_hour=question.profile_of_hour[:24],
        types=tuple(cut(kind) for kind in question.types),
        classes=tuple(replace(c, rates=c.rates[:, :24]) for c in question.classes),
        budgets=tuple(replace(b, limit=b.limit / 7) for b in question.budgets),
        cyclic=False,
    )


def bench_monolith():
    """One day as one big model, frozen at the tables' plan, with 100 clock seconds of HiGHS."""
    question = first_day(manhattan_week())
    seconds, plan = timed(question)
    extensive_model.check_size = lambda *_: None  # larger than the product would try
    names = [kind.name for kind in question.types]
    whole = extensive_model.WholeModel(question)
    frozen = np.stack([plan.units[name].sum(axis=1) for name in names])
    written = whole.write(frozen).model
    begin = time.process_time()
    found = solve(written, limits=Limits(gap=1e-3, time_limit_s=100.0)).report
    spent = time.process_time() - begin
    size = f"{written.matrix.shape[0]:,} rows, {written.matrix.shape[1]:,} columns"
    write_section(
        "One big model, one day",
        [
            "| how | size | worth | bound | CPU s |",
            "|---|---|---|---|---|",
            f"| value tables | | {plan.value:,.2f} | {plan.hull_bound:,.2f} | {seconds:.0f} |",
            f"| HiGHS | {size} | {found.objective:,.2f} | {found.bound:,.2f} | {spent:.0f} |",
            "",
            "HiGHS had 100 seconds of clock.",
        ],
    )


PARTS = {"plan": bench_plan, "frozen": bench_frozen, "monolith": bench_monolith}


def main():
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    only = parser.parse_args().only
    for name, part in PARTS.items():
        if only == name or (only is None and name != "monolith"):
            part()


if __name__ == "__main__":
    main()
