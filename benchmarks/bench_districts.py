"""Districts of two real cities: travel, bound, gap and CPU seconds.

Run it with ``python benchmarks/bench_districts.py``; it reads the folder that
``DEPLOY_OPT_REAL_DATA`` names and writes ``benchmarks/results/districts.md``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from deploy_opt.plan.districts import (
    Search,
    design_districts,
    disruption_curve,
    score_districts,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from carrollton import carrollton, seattle

RESULT = Path(__file__).parent / "results" / "districts.md"
CHANGES = (10, 15, 20, 30, 40, 60, 80, 100, 150, 325)
KM_PER_MILE = 1.609344


def cpu(work):
    start = time.process_time()
    value = work()
    return time.process_time() - start, value


def design(city, today, **wishes):
    rules = {"num_districts": 12, "compactness": 0.0, "travel_in_workload": False, **wishes}
    return design_districts(city.workload, city.neighbours, city.times_s, today=today, **rules)


def proofs(city, today, base_min, seattle_city):
    lines = []
    cases = [
        ("Carrollton, 12, within 5 %", city, today, {"band": 0.05}, "cuts"),
        ("Carrollton, 12, max - min 5 %", city, today, {"max_spread": 0.05}, "cuts"),
        ("Seattle, 51 beats to 5, within 5 %", seattle_city, None, {"num_districts": 5}, "full"),
    ]
    for name, place, before, wishes, proof in cases:
        total_s, proven = cpu(
            lambda p=place, b=before, w=wishes, q=proof: design(p, b, proof=q, **w)
        )
        assert proven.bound <= proven.travel_min * (1 + 1e-9)
        ratio = f"{proven.travel_min / base_min:.4f}" if before is not None else "-"
        lines.append(
            f"| {name} | {proven.travel_min:.0f} | {ratio} | {proven.bound:.0f} "
            f"| {100 * proven.gap:.2f} % "
            f"| {proven.spread.band:.4f} | {proven.spread.max_minus_min:.4f} "
            f"| {total_s:.1f} |"
        )
        print(lines[-1], flush=True)
    return lines


def starts(city, today, base_min):
    lines = []
    for name, wishes in (("within 5 %", {}), ("max - min 5 %", {"max_spread": 0.05})):
        for seed in (1, 2):
            for num in (1, 10):
                search_s, plan = cpu(
                    lambda w=wishes, s=seed, n=num: design(
                        city, today, proof="none", search=Search(starts=n, seed=s), **w
                    )
                )
                lines.append(
                    f"| {name} | {seed} | {num} | {plan.travel_min:.0f} "
                    f"| {plan.travel_min / base_min:.4f} | {search_s:.1f} |"
                )
                print(lines[-1], flush=True)
    return lines


def changes(city, today, base_min):
    seconds, points = cpu(
        lambda: disruption_curve(
            city.workload,
            city.neighbours,
            city.times_s,
            today=today,
            num_districts=12,
            max_moved=CHANGES,
            travel_in_workload=False,
        )
    )
    shown = [
        f"{point.plan.travel_min / base_min:.3f}" if point.plan else "none found"
        for point in points
    ]
    print(shown, flush=True)
    return [
        "| changed areas, at most | " + " | ".join(str(p.max_moved) for p in points) + " |",
        "|---" * (len(points) + 1) + "|",
        "| ratio | " + " | ".join(shown) + " |",
        "",
        f"{seconds:.0f} CPU s in all.",
    ]


def shapes(city, today, base_min):
    lines = []
    for compactness in (0.0, 0.5, 1.0, 2.0):
        plan = design(city, today, proof="none", compactness=compactness)
        scores = plan.shape.polsby_popper
        lines.append(
            f"| {compactness:g} | {plan.travel_min / base_min:.4f} "
            f"| {plan.shape.border_km / KM_PER_MILE:.1f} | {plan.shape.cut_pairs} "
            f"| {np.mean(scores):.3f} / {min(scores):.3f} | {plan.moved.sum()} |"
        )
        print(lines[-1], flush=True)
    return lines


def main():
    city, other = carrollton(), seattle()
    today = np.array([str(beat + 1) for beat in city.today], dtype=object)
    design(other, None, num_districts=5, proof="none", search=Search(starts=1))  # compiles
    before = score_districts(
        today, city.workload, city.neighbours, city.times_s, travel_in_workload=False
    )
    base_min = before.travel_min
    scores = before.shape.polsby_popper
    text = [
        "# Districts",
        "",
        "CPU seconds of one thread on one machine: read the ratios. Made by",
        "`python benchmarks/bench_districts.py`. Carrollton has 325 areas, 129,082 calls and 12",
        f"beats, with {base_min:.0f} call-minutes of travel today; ratios are of that. Every plan",
        "is connected, and its figures are worked out anew from its labels.",
        "",
        "## Plan and proof",
        "",
        "| case | call-minutes | ratio | bound | gap | band | max - min | CPU s |",
        "|---|---|---|---|---|---|---|---|",
        *proofs(city, today, base_min, other),
        "",
        "## Starts",
        "",
        "| case | seed | starts | call-minutes | ratio | CPU s |",
        "|---|---|---|---|---|---|",
        *starts(city, today, base_min),
        "",
        "## Best plan found that changes few areas, within 5 %",
        "",
        *changes(city, today, base_min),
        "",
        "## Price of borders (1: the default)",
        "",
        f"Today: {before.shape.border_km / KM_PER_MILE:.1f} miles, {before.shape.cut_pairs} pairs,",
        f"Polsby-Popper {np.mean(scores):.3f} / {min(scores):.3f}.",
        "",
        "| compactness | ratio | border, miles | cut pairs | Polsby-Popper mean / least | moved |",
        "|---|---|---|---|---|---|",
        *shapes(city, today, base_min),
        "",
    ]
    RESULT.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
