"""Location at scale, a linked city day, expected cover and the hypercube search, peers beside them.

Run ``python benchmarks/bench_plan.py`` for every part but the ten million rows, which
``--only large`` adds; ``--only NAME`` runs one part. Each part replaces its own section of
``benchmarks/results/plan.md``. The laws of the cities stand in ``benchmarks/plan_cases.py``.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import time
import warnings
from pathlib import Path

import numpy as np
from plan_cases import STANDARD_S, cover_blocks, cover_city, drive_s, planned_city

from deploy_opt.plan.cover import merge_blocks
from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.linked_positions import linked_positions
from deploy_opt.plan.locate import locate
from deploy_opt.plan.sites.hypercube import busy_fractions
from deploy_opt.plan.sites.hypercube_search import search_on_hypercube
from deploy_opt.plan.solver import linear_model, solve
from deploy_opt.plan.value_tables import hour_problem
from deploy_opt.plan.week import Week, week_moves
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules, Shifts, Solver
from deploy_opt.settings import PlanSettings

RESULT = Path(__file__).parent / "results" / "plan.md"
TITLE = "# The plan and its parts\n\nCPU seconds, child processes included; read the ratios.\n"
NUM_POSTS = 8


def cpu(work):
    """Run work; give its CPU seconds, those of the programs it started included, and its value."""
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    value = work()
    now = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    spent = [
        b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(own, now, strict=True)
    ]
    return sum(spent), value


def write_section(title, lines):
    """Put a section into the result page, in place of the one of the same title."""
    text = RESULT.read_text(encoding="utf-8") if RESULT.exists() else TITLE
    head, *parts = text.split("\n## ")
    sections = {part.splitlines()[0]: part.rstrip() for part in parts}
    sections[title] = "\n".join([title, "", *lines])
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    pages = [head.rstrip(), *(f"## {part}" for part in sections.values())]
    RESULT.write_text("\n\n".join(pages) + "\n", encoding="utf-8")
    print(f"## {title}\n\n" + "\n".join(lines) + "\n", flush=True)


def cover_row(rows, seconds, found, peer="", num_posts=NUM_POSTS):
    """Write one line of the maximal covering table."""
    return (
        f"| {rows:,} x 100 | {num_posts} | {found.objective:,.0f} | {found.gap:.1e} "
        f"| {found.report.status} "
        f"| {seconds:.2f} | {peer} |"
    )


COVER_HEAD = (
    (
        "100 posts and the demand rows are uniform in a 30 x 30 km square, weights 1 to 19, "
        "7 minutes at 60 km/h along the axes. Seconds of ours hold reading the "
        "times, merging and proof."
    ),
    "",
    "| rows x posts | open | covered | gap | ended | ours, CPU s | peer |",
    "|---|---|---|---|---|---|---|",
)


def bench_cover():
    """MCLP against spopt, then at a hundred thousand and a million rows."""
    lines = list(COVER_HEAD)
    place, points, weights = cover_city(100, 5000)
    times = drive_s(place, points)
    for num in (5, NUM_POSTS):
        ours_s, ours = cpu(
            lambda p=num: locate("mclp", times, weights, num_posts=p, standard_s=STANDARD_S)
        )
        spopt_s, value = cpu(lambda p=num: spopt_mclp(times, weights, p))
        peer = f"spopt {value:,.0f} in {spopt_s:.1f} CPU s: {spopt_s / ours_s:.0f} times ours"
        lines.append(cover_row(5000, ours_s, ours, peer, num))
    place, points, weights = cover_city(100, 100_000)
    times = drive_s(place, points)
    seconds, found = cpu(
        lambda: locate("mclp", times, weights, num_posts=NUM_POSTS, standard_s=STANDARD_S)
    )
    lines.append(cover_row(100_000, seconds, found))
    lines.append(streamed(1_000_000, gap=1e-6))
    write_section("Maximal covering", lines)


def spopt_mclp(times, weights, num_posts):
    """Solve the MCLP as a user of spopt does."""
    import pulp  # noqa: PLC0415 - the peer alone needs it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from spopt.locate import MCLP  # noqa: PLC0415 - warns when imported

        model = MCLP.from_cost_matrix(
            times.T.astype(float), weights, STANDARD_S, p_facilities=num_posts
        )
        model.solve(pulp.PULP_CBC_CMD(msg=False))
        return pulp.value(model.problem.objective)


def streamed(rows, gap):
    """Merge blocks of 65,536 rows as they come, then solve on the groups."""

    def work():
        merged = merge_blocks(cover_blocks(100, rows, 65_536), STANDARD_S)
        return locate("mclp", merged.cover.T, merged.weights, num_posts=NUM_POSTS, gap=gap)

    seconds, found = cpu(work)
    return cover_row(rows, seconds, found, "made and merged in blocks")


def bench_large():
    """Ten million rows, with the memory they took."""
    line = streamed(10_000_000, gap=1e-3)
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    lines = [*COVER_HEAD, line, "", f"Asked gap 1e-3; largest memory {memory_gb:.2f} GB."]
    write_section("Maximal covering, ten million rows", lines)


def day_settings(hours):
    """Give the plan section: 60 open posts, 6 moves an hour, 592 unit-hours a day."""
    return PlanSettings(
        service="ems", hours=hours, first_hour=0, busy_min=60.0, drive_limit_s=STANDARD_S, seed=1,
        fleet=Fleet(
            unit_hours_per_week=592 * hours / 24, min_units=10, max_units=30, busy_cap=0.9
        ),
        shifts=Shifts(starts_h=(0, 8, 16), lengths_h=(8,)),
        posts=PostRules(max_open=60, max_moves_per_hour=6, capacity=3),
        equity=EquityRules(), solver=Solver(),
    )  # fmt: skip


CITY_HEAD = (
    (
        "300 posts, 5,000 demand points, two speed profiles, 12 calls an hour on average that "
        "take a unit for an hour, at most 60 open posts and 6 moves an hour."
    ),
    "",
    "| how | hours | calls reached | bound | gap | open posts | most moves | CPU s |",
    "|---|---|---|---|---|---|---|---|",
)


def linked_row(hours):
    """Place 20, 30 and 24 units by shift, at their own busy fractions."""
    forecast, times = planned_city()

    def work():
        model = cover_model(forecast, times, day_settings(hours))
        staffing = np.tile(np.repeat([20, 30, 24], 8), hours // 24)
        bounds = np.zeros((hours, 300), dtype=np.int64), np.full((hours, 300), 3)
        week = Week(
            tuple(hour_problem(model, h, int(n), bounds) for h, n in enumerate(staffing)),
            staffing,
            cyclic=True,
        )
        return linked_positions(week, max_open=60, max_moves=6)

    seconds, found = cpu(work)
    moves = week_moves(found.units, cyclic=True).max()
    return (
        f"| `linked_positions`, 20/30/24 units by shift | {hours} | {found.value:.3f} "
        f"| {found.bound:.3f} | {found.gap:.2%} | {found.units.any(axis=0).sum()} | {moves} "
        f"| {seconds:.0f} |"
    )


def bench_city():
    """Plan the city day: positions at given staffing, then crews and positions together."""
    lines = [*CITY_HEAD, linked_row(24)]
    forecast, times = planned_city()
    seconds, plan = cpu(lambda: plan_deployment(forecast, times, day_settings(24)))
    parts, report = plan.report.parts, plan.report
    lines.append(
        f"| `plan_deployment`, crews too | 24 | {report.objective:.3f} | {report.bound:.3f} "
        f"| {report.gap:.2%} | {parts['open_posts']:.0f} | {parts['most_moves']:.0f} "
        f"| {seconds:.0f} |"
    )
    write_section("A city day of 300 posts", lines)


def bench_week():
    """Place units in the same city over 168 hours."""
    write_section("A city week of 300 posts", [*CITY_HEAD, linked_row(168)])


def bench_scarce():
    """Plan a small city with very few open posts: the gap with and without their own bound."""
    forecast, times = planned_city(posts=40, points=600, calls_per_hour=4.0)
    lines = [
        (
            "40 posts, 600 demand points, 4 calls an hour on average that take a unit for an hour, "
            "9 units on average over 24 hours, 12 at a post. Without: the bound for any posts."
        ),
        "",
        "| open posts | calls reached | gap without | gap | CPU s |",
        "|---|---|---|---|---|",
    ]
    for most in (1, 2, 3, 5, 8):
        settings = day_settings(24).model_copy(
            update={
                "posts": PostRules(max_open=most, max_moves_per_hour=None, capacity=12),
                "fleet": Fleet(unit_hours_per_week=216, min_units=6, max_units=14, busy_cap=0.9),
            }
        )
        seconds, plan = cpu(lambda s=settings: plan_deployment(forecast, times, s))
        parts, value = plan.report.parts, plan.report.objective
        free = max(parts["hull_bound"], parts["free_value"]) * (1 + parts["location_gap"])
        lines.append(
            f"| {most} | {value:.3f} | {free / value - 1:.2%} | {plan.report.gap:.2%} "
            f"| {seconds:.0f} |"
        )
    write_section("Very few open posts", lines)


def bench_expected():
    """MEXCLP on the city at noon: the value found within limits, and the proof."""
    forecast, times = planned_city()
    points = times.destinations
    rate = dict(zip(forecast.area_ids, forecast.rates[:, 12], strict=True))
    weights = (points["area_id"].map(rate) * points["share"]).to_numpy()

    def work(gap):
        return locate(
            "mexclp", times.by_profile[0], weights, num_units=30, busy_fraction=0.58,
            capacity=3, standard_s=STANDARD_S, gap=gap,
        )  # fmt: skip

    lines = [
        "The city at noon, 30 units, q = 0.58, at most 3 units at a post.",
        "",
        "| asked gap | expected calls | bound | gap | ended | CPU s |",
        "|---|---|---|---|---|---|",
    ]
    for gap in (1e-2, 1e-4):
        seconds, found = cpu(lambda g=gap: work(g))
        lines.append(
            f"| {gap:g} | {found.objective:.6f} | {found.bound:.6f} | {found.gap:.1e} "
            f"| {found.report.status} | {seconds:.1f} |"
        )
    write_section("Maximum expected covering, one hour of the city", lines)


def bench_hypercube():
    """Utrecht, 19 vehicles, where the data folder is at hand; exact against approximate."""
    random = np.random.default_rng(1)
    errors = []
    for units in range(2, 9):
        for load in (0.2, 0.4, 0.6):
            times = random.uniform(60, 900, (units, 30))
            rates = random.random(30)
            rates *= load * units / rates.sum()
            both = [
                busy_fractions(times, rates, np.arange(units), 1.0, method=m, standard_s=480)
                for m in ("exact", "approximate")
            ]
            errors.append(abs(both[1].cover / both[0].cover - 1))
    words = (
        f"Approximate against exact, 2 to 8 units, loads .2, .4 and .6 a unit, {len(errors)} "
        f"random towns: cover differs by {np.mean(errors):.2%} on average, {np.max(errors):.2%} "
        "at most."
    )
    lines = [words]
    folder = os.environ.get("DEPLOY_OPT_REAL_DATA")
    if folder:
        minutes, share = utrecht(Path(folder) / "utrecht")
        begin = locate("mexclp", minutes, share, num_units=19, busy_fraction=0.6, standard_s=12)
        at = np.repeat(np.arange(len(minutes)), begin.units)
        rate, service_h = 6.3, 0.2136 * 19 / 6.3
        seconds, found = cpu(
            lambda: search_on_hypercube(minutes * 60, share * rate, at, service_h, standard_s=720.0)
        )
        lines += [
            "",
            "Utrecht, 19 vehicles, 6.3 calls an hour, mean busy fraction .2136, 12 minutes' drive:",
            "",
            "| plan | cover | busiest | least busy | plans solved | CPU s |",
            "|---|---|---|---|---|---|",
        ]
        first = busy_fractions(minutes * 60, share * rate, at, service_h, standard_s=720.0)
        for name, fleet, count, spent in (
            ("MEXCLP, q = .6", first, 1, ""),
            ("swaps on the hypercube", found.fleet, found.evaluations, f"{seconds:.2f}"),
        ):
            busy = fleet.by_unit
            lines.append(
                f"| {name} | {fleet.cover:.4f} | {busy.max():.2f} | {busy.min():.2f} "
                f"| {count} | {spent} |"
            )
    write_section("Hypercube", lines)


def utrecht(folder):
    """Read siren minutes from the bases and each postal code's share of inhabitants."""

    def rows(name):
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    nodes = rows("nodes_Utrecht_2021.csv")
    matrix = {row["postal code"]: row for row in rows("siren_driving_matrix_2022.csv")}
    codes = [row["postal code"] for row in nodes]
    bases = [row["Base Locations"] for row in rows("RAVU_base_locations_Utrecht_2021.csv")]
    minutes = np.array([[float(matrix[base][code]) for code in codes] for base in bases])
    return minutes, np.array([float(row["inhabitants"]) for row in nodes])


PARTS = {
    "hypercube": bench_hypercube,
    "cover": bench_cover,
    "expected": bench_expected,
    "city": bench_city,
    "large": bench_large,
    "scarce": bench_scarce,
    "week": bench_week,
}
BY_DEFAULT = ("hypercube", "cover", "expected", "city", "week", "scarce")


def main():
    """Run the parts asked for."""
    solve(linear_model([1.0], [[1.0]], rows=(1, 2), integer=True))  # load the solver first
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--only", choices=PARTS, action="append")
    begin = time.process_time()
    for name in reader.parse_args().only or BY_DEFAULT:
        PARTS[name]()
    print(f"{time.process_time() - begin:.0f} CPU s in all")


if __name__ == "__main__":
    main()
