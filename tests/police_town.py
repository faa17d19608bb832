"""The small town with police records, residents, districts and a survey."""

import numpy as np
import pandas as pd

AREAS = ["A1", "A2", "A3", "A4"]


def police_town(town):
    """Add police records, residents, districts and a survey to the town."""
    data = town.parent / "data"
    calls = pd.read_csv(data / "calls.csv", dtype=str)
    rng = np.random.default_rng(2)
    police = calls.sample(n=400, random_state=1, ignore_index=True).assign(
        incident_id=[f"P{k}" for k in range(400)],
        service="police",
        call_type=rng.choice(["theft", "noise", "rare"], 400, p=[0.6, 0.39, 0.01]),
    )
    own = rng.random(400) < np.where(police["lon"].astype(float) > 10.028, 0.4, 0.05)
    police["self_initiated"] = np.where(own, "true", "false")
    pd.concat([calls, police]).to_csv(data / "calls.csv", index=False)
    pd.DataFrame(
        {
            "area_id": AREAS,
            "population": [900, 1100, 1000, 1500],
            "share_low_income": [0.1, 0.2, 0.3, 0.6],
        }
    ).to_csv(data / "people.csv", index=False)
    pd.DataFrame({"area_id": AREAS, "district": list("WEWE")}).to_csv(
        data / "districts.csv", index=False
    )
    pd.DataFrame({"area_id": AREAS, "rate": [1, 5, 2, 3]}).to_csv(data / "survey.csv", index=False)
    text = town.read_text("utf-8").replace(
        "  posts: data/posts.csv", "  posts: data/posts.csv\n  population: data/people.csv"
    )
    text += "services: [ems, police]\npatrol: {districts: data/districts.csv}\n"
    text = text.replace("standards:\n", "standards:\n  police: {drive_limit_s: 300}\n")
    town.write_text(text, encoding="utf-8")
    return town
