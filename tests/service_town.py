"""A town of two posts, two patrol districts and a team, whose week fits on a page."""

import json

import numpy as np
import pandas as pd

from deploy_opt.report.files import write_csv
from deploy_opt.units import HOURS_PER_WEEK
from shift_town import POSTS, ZONE, town_week

DISTRICT_STARTS = {"North": (6, 14, 22), "South": (7, 19)}
"""Hours of the day at which a patrol shift starts; each lasts until the next."""
FLEET = {"unit_type": "als", "crew_size": 2, "meal_break_min": 30}
SECTIONS = {
    "fleet": FLEET,
    "patrol": {"crew_size": 1, "meal_break_min": 20},
    "coresponders": {"people": 2, "meal_break_min": 45},
    "staffing": {"coresponder": {"make_up": {"clinician": 1, "peer": 1}}},
}


def daily_crews(starts, length_h, crews=1):
    """The same shifts every day: start_hour, length_h, crews."""
    hours = [24 * day + start for day in range(7) for start in starts]
    return pd.DataFrame({"start_hour": hours, "length_h": length_h, "crews": crews})


def on_duty(crews):
    """Units in each hour of the week."""
    result = np.zeros(HOURS_PER_WEEK, dtype=np.int64)
    for start, length, number in crews[["start_hour", "length_h", "crews"]].to_numpy():
        result[(start + np.arange(length)) % HOURS_PER_WEEK] += number
    return result


def service_tables():
    """Give service_posts.csv, service_crews.csv and district_units.csv of the town's week."""
    crews, placed, districts = [], [], []
    for district, starts in DISTRICT_STARTS.items():
        own = daily_crews(starts, 24 // len(starts), 2 if district == "North" else 1)
        crews.append(own.assign(service="police", unit_type="patrol", district=district))
        units = on_duty(own)
        districts.append(
            pd.DataFrame({"district": district, "hour": range(HOURS_PER_WEEK), "units": units})
        )
        # the units of a district change the area that they wait in every hour
        for hour, number in enumerate(units.tolist()):
            area = f"{district[0]}{hour % 3}"
            placed.append(("police", "patrol", district, hour, area, number))
    teams = pd.concat([daily_crews((8,), 10, 2), daily_crews((16,), 8)], ignore_index=True)
    crews.append(teams.assign(service="coresponse", unit_type="coresponder", district=""))
    for hour, number in enumerate(on_duty(teams).tolist()):
        noon = hour % 24 >= 12  # at noon one team goes from post 2 to post 1
        there = {"P1": min(number, 1) if noon else 0}
        there["P2"] = number - there["P1"]
        placed += [
            ("coresponse", "coresponder", "", hour, post, n) for post, n in there.items() if n
        ]
    units, ems_crews = town_week()
    hour, post = np.nonzero(units)
    placed += [
        ("ems", "als", "", h, POSTS["post_id"][p], units[h, p])
        for h, p in zip(hour.tolist(), post.tolist(), strict=True)
    ]
    crews.append(ems_crews.assign(service="ems", unit_type="als", district=""))
    names = ["service", "unit_type", "district", "hour", "post_id", "units"]
    order = ["service", "unit_type", "district", "start_hour", "length_h", "crews"]
    return {
        "service_posts.csv": pd.DataFrame(placed, columns=names),
        "service_crews.csv": pd.concat(crews, ignore_index=True)[order],
        "district_units.csv": pd.concat(districts, ignore_index=True),
    }


def write_run(folder, units, crews, *, start="2026-01-05", tables=None, **sections):
    """Leave the files of a run that its schedule is read from."""
    folder.mkdir()
    hour, post = np.nonzero(units)
    used = POSTS.iloc[post].reset_index(drop=True).assign(hour=hour, units=units[hour, post])
    for name, table in ({"posts.csv": used} | (tables or {})).items():
        write_csv(table, folder / name)
    plan = {
        "posts": POSTS["post_id"].tolist(),
        "post_names": POSTS["name"].tolist(),
        "units_by_hour_and_post": units.tolist(),
        "crews": crews.to_dict("records"),
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    scenario = {
        "name": "Town",
        "time_zone": ZONE,
        "horizon": {"start": start, "hours": len(units)},
        "fleet": {"unit_type": "als", "crew_size": 2},
    }
    manifest = {"run_id": "abc123", "scenario": scenario | sections}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def write_city(folder, **how):
    """Leave the files of a run of three services."""
    units, crews = town_week()
    return write_run(folder, units, crews, tables=service_tables(), **SECTIONS | how)
