"""What few start times of the ambulances cost in the Manhattan week, with a bound for every number.

``DEPLOY_OPT_REAL_DATA=... python benchmarks/bench_start_times.py`` plans ALS and BLS ambulances,
one role with shared start times, and writes ``benchmarks/results/start_times.md``. The laws of the
case stand in ``benchmarks/joint_cases.py``; ``--numbers 3,4`` and ``--sets N`` change what is
compared and how many sets of start times a search may look at.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from joint_cases import cheapest_costs, manhattan_ground, manhattan_week

from deploy_opt.plan.engines.outcomes import Limits
from deploy_opt.plan.joint.question import Budget, Question
from deploy_opt.plan.joint.services import lay_services
from deploy_opt.plan.joint.start_times import start_time_prices

RESULT = Path(__file__).parent / "results" / "start_times.md"
AMBULANCES = ("als", "bls")
SLACK = 1.10
TITLE = (
    "# What few start times cost: ambulances of the Manhattan week\n\n"
    "Real roads, areas and calls (`benchmarks/joint_cases.py`); ALS and BLS ambulances with\n"
    "shifts of 8, 10 and 12 h that may start at twelve hours of the day, shared by both types.\n"
    "Worth counts calls reached in time by the classes' weights. Loss: what the limit costs. Gap:\n"
    "what any other choice of start times could be worth more.\n"
)


def ambulances():
    """Keep the ambulances of the Manhattan week, as one role with a budget of their own."""
    week = manhattan_week()
    limit = round(SLACK * cheapest_costs(manhattan_ground().calls)["ems"], 2)
    kinds = tuple(replace(k, role="ambulance") for k in week.types if k.name in AMBULANCES)
    classes = tuple(each for each in week.classes if each.name in AMBULANCES)
    return Question(
        week.area_ids,
        week.point_area,
        week.point_share,
        week.profile_of_hour,
        kinds,
        classes,
        (Budget("ems", limit, AMBULANCES),),
    )


def main():
    """Price the numbers of start times and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", default="2,3,4,5,6,7,8")
    parser.add_argument("--sets", type=int, default=40)
    parser.add_argument("--gap", type=float, default=3e-3)
    given = parser.parse_args()
    begin = time.process_time()
    laid = lay_services(ambulances())
    limits = Limits(gap=given.gap, node_limit=given.sets)
    prices = start_time_prices(laid, limits, [int(k) for k in given.numbers.split(",")])
    lines = [
        TITLE,
        "| start times | hours in use | worth | bound | gap | loss | missed unit-hours |",
        "|---|---|---|---|---|---|---|",
    ]
    free = prices[-1].value
    for price in prices:
        used = sorted({hour for each in price.used.values() for hour in each.starts_h})
        name = "all" if price.at_most is None else str(price.at_most)
        lines.append(
            f"| {name} | {', '.join(map(str, used))} | {price.value:,.1f} | {price.bound:,.1f} "
            f"| {price.gap:.3%} | {price.loss:,.1f} ({price.loss / free:.2%}) "
            f"| {price.missing_unit_hours} |"
        )
    work = f"{time.process_time() - begin:,.0f} CPU s, one thread, asked gap {given.gap:.1%}"
    lines += ["", f"{work}, at most {given.sets} sets of start times looked at for each number."]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
