# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Quick start: from a scenario to a plan
#
# The same functions that the command line calls, on the **synthetic** sample city. Nothing here
# needs the network. The cells run one day of the week, so that they end in well under a minute.

# %%
import tempfile
from pathlib import Path

import pandas as pd

import deploy_opt

root = Path.cwd() if (Path.cwd() / "scenarios").is_dir() else Path.cwd().parent
scenario = deploy_opt.load_scenario(
    root / "scenarios" / "sample_city.yaml", variant="fast_preview"
)
scenario.name, scenario.horizon, scenario.standards["ems"].words

# %% [markdown]
# ## The whole road
#
# `run` reads the inputs, forecasts the calls, solves the deployment, judges it beside today's and
# writes every file of the run. A second call takes up what has not changed.

# %%
out = Path(tempfile.mkdtemp()) / "sample_city"
done = deploy_opt.run(scenario, out)
print("\n".join(done.lines))

# %% [markdown]
# Every number carries its clock, statistic, n, interval and source.

# %%
metrics = pd.read_csv(out / "metrics.csv")
metrics.loc[
    metrics["metric"].isin(["reached", "late_calls"]),
    ["metric", "arm", "statistic", "threshold_s", "n", "value", "lo", "hi", "source"],
]

# %% [markdown]
# ## Who gains and who loses
#
# `areas.csv` is ordered worst first: the areas where the plan reaches fewer calls than today.

# %%
areas = pd.read_csv(out / "areas.csv")
areas[["area_id", "name", "calls_per_week", "cover_plan", "cover_diff", "late_calls_diff"]].head()

# %% [markdown]
# ## Where the units stand
#
# One row per hour, post and unit type; in a day plan the hours are 0 to 23.

# %%
posts = pd.read_csv(out / "posts.csv")
posts.pivot_table(index="name", columns="hour", values="units", fill_value=0).astype(int)

# %% [markdown]
# ## What one more ambulance buys
#
# A variant of the same file, or one override. Forecast and travel times are taken up, only the
# plan is solved again.

# %%
hours = float(metrics.query("metric == 'unit_hours' and arm == 'plan'")["value"].iloc[0])
more = deploy_opt.load_scenario(
    root / "scenarios" / "sample_city.yaml",
    variant="fast_preview",
    overrides=[f"fleet.unit_hours_per_week={hours + 24}"],
)
again = deploy_opt.run(more, out)
print("\n".join(again.lines))

# %% [markdown]
# ## One question without a scenario
#
# `locate` answers single questions on arrays: where should three stations stand so that most of
# the demand is within four minutes? The answer carries its bound and gap.

# %%
ground = done.results["ground"]
demand = ground.times.destinations["share"].to_numpy()
best = deploy_opt.locate("mclp", ground.times.seconds, demand, num_posts=3, standard_s=240)
ground.posts.iloc[best.chosen][["post_id", "name"]].assign(
    covered_share=round(best.objective / demand.sum(), 3), gap=best.gap
)
