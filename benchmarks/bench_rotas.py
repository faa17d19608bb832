"""Rosters and posts of every crew of the Manhattan week with weekly patterns.

``DEPLOY_OPT_REAL_DATA=... python benchmarks/bench_rotas.py`` plans the week of
``benchmarks/joint_cases.py`` on 5 x 8, 4 x 10 and 3 x 12 h, makes the rosters, lets the checker
look at them, gives every crew its posts, and writes ``benchmarks/results/rotas.md``.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from bench_joint import PATTERNS, WITHIN
from joint_cases import manhattan_week

from deploy_opt.plan.joint.services import plan_services
from deploy_opt.plan.rosters.check_rota import check_rotas
from deploy_opt.plan.rosters.crew_flow import flow_crews
from deploy_opt.plan.rosters.duties import crews_table, duties_of
from deploy_opt.plan.rosters.labour_rules import labour_rules
from deploy_opt.plan.rosters.rotas import fewest_lines, make_rotas

RESULT = Path(__file__).parent / "results" / "rotas.md"
ROLES = {"als": "paramedic", "bls": "emt", "patrol": "officer", "coresponder": "clinician"}


def timed(work):
    """Give the CPU seconds of a piece of work and what it made."""
    begin = time.process_time()
    made = work()
    return time.process_time() - begin, made


def tables(crews, units):
    """Write the two tables: rosters, then posts; `crews` and `units` by unit type."""
    rosters = [
        "| crews | rules | shifts a week | rosters | lines | fewest | bound | breaches | CPU s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    posts = [
        "| crews | shifts | sum is the plan | moves | no fewer than | most of a crew | CPU s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, role in ROLES.items():
        rules, table = labour_rules(role), crews[name]
        duties = duties_of(table)
        spent, rotas = timed(lambda: make_rotas(table, rules, name=name))  # noqa: B023
        breaches = check_rotas(rotas, duties, rules)
        lines, fewest = (sum(getattr(r, key) for r in rotas) for key in ("lines", "fewest"))
        rosters.append(
            f"| {int(table['crews'].sum())} {name} | {role} | {duties.shifts:,} | {len(rotas)} "
            f"| {lines} | {fewest} | {fewest_lines(duties, rules)} | {len(breaches)} "
            f"| {spent:.0f} |"
        )
        spent, flow = timed(lambda: flow_crews(units[name], table))  # noqa: B023
        exact = np.array_equal(flow.units(units[name].shape[1]), units[name])
        posts.append(
            f"| {name} | {len(flow.start):,} | {'yes' if exact else 'NO'} | {flow.moves.sum()} "
            f"| {flow.fewest_moves} | {flow.moves.max()} | {spent:.1f} |"
        )
    return [*rosters, "", *posts]


def write(plan_line, crews, units):
    """Write the page of results."""
    lines = [
        "# Rosters and posts of the Manhattan week",
        "",
        "Weekly patterns 5 x 8, 4 x 10, 3 x 12 h; one line for each crew of the plan, at most ten",
        "weeks a roster, starts at most two hours apart. Fewest: lines that each roster's own",
        "duties need; bound: lines that all duties at once need. CPU seconds, one thread.",
        "",
        plan_line,
        "",
        *tables(crews, units),
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def main():
    """Plan the week, then make rosters and posts."""
    question = manhattan_week(patterns=PATTERNS)
    spent, plan = timed(lambda: plan_services(question, limits=WITHIN))
    gap = (1 + plan.mix_gap) * (1 + plan.location_gap) / (1 - plan.link_loss) - 1
    line = f"Plan: worth {plan.value:,.1f}, gap {gap:.4%}, {spent:.0f} CPU s."
    columns = {kind.name: kind.columns for kind in question.types}
    crews = {name: crews_table(columns[name], plan.crews[name]) for name in ROLES}
    write(line, crews, plan.units)


if __name__ == "__main__":
    main()
