"""The last search on the hypercube: what two models and a simulation say of plans with and without.

Run ``python benchmarks/bench_last_search.py``; it writes ``benchmarks/results/last_search.md``.
Manhattan is added where ``DEPLOY_OPT_REAL_DATA`` names the data folder. The simulation shares no
code with the plan: calls of a week come at random at the forecast's rates, hour by hour; the
nearest free unit answers and is busy for a lognormal time, on into the next hours; calls that find
no unit free are lost; units change posts on the hour.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from deploy_opt import load_scenario, run
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.sites.site_busy import site_busy, site_demand

ROOT = Path(__file__).parent.parent
RESULT = Path(__file__).parent / "results" / "last_search.md"
SPREAD = 0.6  # coefficient of variation of the time that a call takes


def solved_plans(scenario, results):
    """Plan with and without the last search; give settings, plans, CPU seconds and a judge."""
    forecast, times = results["demand"].forecast, results["ground"].times
    comparison = results["comparison"]
    settings = scenario.plan_settings(comparison.service, busy_min=comparison.busy_min)
    plans, seconds = {}, {}
    for name, last in (("without the last search", "none"), ("with it", "hypercube")):
        solver = settings.solver.model_copy(update={"last_search": last})
        case = lay_out(
            forecast,
            times,
            settings.model_copy(update={"solver": solver}),
            comparison.baseline.units,
        )
        start = time.process_time()
        plans[name] = solve_case(case).plan.units
        seconds[name] = time.process_time() - start
    plans["strong simple plan"] = comparison.simple.units
    plans["today"] = comparison.baseline.units
    demand = site_demand(case.model, times, settings)

    def judged(units):
        by_model = (case.model.rates * case.model.area_cover(units)).sum()
        calls = case.model.rates.sum()
        return by_model / calls, site_busy(demand, case.model, units).total / calls

    return settings, case.model, times, plans, seconds, judged


def post_of_units(units):
    """Give each unit a post by hour: units stay where they can; post -> units for every hour."""
    now, number, result = {}, 0, []
    for lap in range(2):  # the second lap begins as the first one ended
        for row in units:
            wanted, kept, free = row.copy(), {}, []
            for unit, post in now.items():
                if wanted[post] > 0:
                    wanted[post] -= 1
                    kept[unit] = post
                else:
                    free.append(unit)
            for post in np.repeat(np.arange(len(wanted)), wanted).tolist():
                if free:
                    kept[free.pop(0)] = post
                else:
                    kept[number] = post
                    number += 1
            now = kept
            if lap == 1:
                by_post = {}
                for unit, post in now.items():
                    by_post.setdefault(post, []).append(unit)
                result.append(by_post)
    return result, number


def one_week(random, rates, busy_h):
    """Draw the calls of a week: time, point and hours taken, in the order of time."""
    times, points = [], []
    for hour, row in enumerate(rates):
        number = random.poisson(row.sum())
        times.append(hour + np.sort(random.random(number)))
        points.append(random.choice(len(row), number, p=row / row.sum()))
    shape = np.sqrt(np.log1p(SPREAD**2))
    when = np.concatenate(times)
    taken = busy_h * np.exp(shape * random.standard_normal(len(when)) - shape**2 / 2)
    return when.tolist(), np.concatenate(points).tolist(), taken.tolist()


def simulated(settings, model, travel, plans, weeks):
    """Count the calls that a free unit reaches in time, week by week, the same calls for all."""
    area = travel.destinations["area_id"].map({a: k for k, a in enumerate(model.area_ids)})
    share = travel.destinations["share"].to_numpy(dtype=float)
    rates = (model.rates[area.to_numpy()] * share[:, None]).T
    hours = (settings.first_hour + np.arange(settings.hours)) % 168
    profile = np.asarray(travel.profile_of_hour)[hours].tolist()
    nearest = [np.argsort(sheet, axis=0, kind="stable").T.tolist() for sheet in travel.by_profile]
    in_time = [(sheet <= settings.drive_limit_s).T.tolist() for sheet in travel.by_profile]
    fleets = {name: post_of_units(units) for name, units in plans.items()}
    busy_until = {name: [-1.0] * number for name, (_, number) in fleets.items()}
    reached = {name: np.zeros(weeks) for name in plans}
    random, calls = np.random.default_rng(11), 0
    for week in range(weeks):
        drawn = one_week(random, rates, model.busy_h)
        calls += len(drawn[0])
        for name, (by_hour, _) in fleets.items():
            until = busy_until[name]
            until[:] = [moment - settings.hours for moment in until]
            for now, point, taken in zip(*drawn, strict=True):
                hour = int(now)
                sheet = profile[hour]
                for post in nearest[sheet][point]:
                    unit = next((u for u in by_hour[hour].get(post, ()) if until[u] <= now), None)
                    if unit is not None:
                        until[unit] = now + taken
                        reached[name][week] += in_time[sheet][point][post]
                        break
    return {name: one / (calls / weeks) for name, one in reached.items()}, calls


def section(title, path, weeks, folder):
    """Plan one scenario, judge and simulate; give the lines of its section."""
    scenario = load_scenario(path)
    results = run(scenario, folder / path.stem).results
    settings, model, times, plans, seconds, judged = solved_plans(scenario, results)
    shares, calls = simulated(settings, model, times, plans, weeks)
    base = shares["without the last search"]
    words = (
        f"{weeks} simulated weeks, {calls:,} calls, the same for all plans. Shares in time; the "
        "last column is the simulated share against the plan without the last search, points, "
        "with its 95 % half-width."
    )
    lines = [
        *(f"## {title}", "", words, ""),
        "| plan | CPU s | deployment model | hypercube | simulated | against without |",
        "|---|---|---|---|---|---|",
    ]
    for name, units in plans.items():
        by_model, by_site = judged(units)
        gain = 100 * (shares[name] - base)
        beside = f"{gain.mean():+.2f} ± {1.96 * gain.std() / np.sqrt(weeks):.2f}"
        spent = f"{seconds[name]:.1f}" if name in seconds else ""
        lines.append(
            f"| {name} | {spent} | {by_model:.2%} | {by_site:.2%} | {shares[name].mean():.2%} "
            f"| {'' if shares[name] is base else beside} |"
        )
    return lines


def main():
    """Write the page."""
    lines = ["# The last search on the hypercube", ""]
    with tempfile.TemporaryDirectory() as folder:
        parts = [("Sample city", ROOT / "scenarios" / "sample_city.yaml", 800)]
        if os.environ.get("DEPLOY_OPT_REAL_DATA"):
            parts.append(("Manhattan", ROOT / "scenarios" / "manhattan.yaml", 400))
        for title, path, weeks in parts:
            lines += [*section(title, path, weeks, Path(folder)), ""]
    RESULT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
