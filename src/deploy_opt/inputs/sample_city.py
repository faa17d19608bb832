"""Makes the synthetic sample city, Alder Falls, together with the truth behind it.

Every number is drawn from a seed; no place, person or agency is real. The same seed gives the same
bytes. The parts stand in ``deploy_opt.inputs.city``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError, nearest
from deploy_opt.inputs.city.notes import CITY_NAME

__all__ = ["CITY_NAME", "CITY_SEED", "CITY_TIME_ZONE", "true_rates", "write_sample_city"]

CITY_SEED = 20260302
CITY_TIME_ZONE = "America/New_York"


def write_sample_city(folder: str | Path, *, seed: int = CITY_SEED) -> None:
    """Write the sample city into a folder, which is made if it is missing.

    Parameters
    ----------
    folder
        Where the files go; files of the same names are replaced, others are left alone.
    seed
        Seed of the city. The shipped city has `CITY_SEED`.
    """
    from deploy_opt.inputs.city.build import city_files

    root = Path(folder)
    for path, content in city_files(seed).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        part.write_bytes(content)
        part.replace(target)


def true_rates(folder: str | Path, service: str) -> pd.DataFrame:
    """Rebuild the true call rates of a sample city from its ``truth`` folder.

    Parameters
    ----------
    folder
        The city's folder, as `write_sample_city` left it.
    service
        ems, police (calls from the public), police_self (started by officers) or coresponse.

    Returns
    -------
    pandas.DataFrame
        service, area_id, hour (naive local, datetime64), rate (expected calls in the row), hours
        (length of the row: 2 for the repeated autumn hour, else 1), for the two years of history
        and the twelve weeks after it; ordered by area_id, then hour. The random factor of the day,
        which nobody can know, is left out.

    Raises
    ------
    InputError
        If the folder holds no truth or the service is unknown.
    """
    from deploy_opt.inputs.city.demand import Factors, compose

    truth = Path(folder) / "truth"
    if not (truth / "levels.csv").is_file():
        raise InputError.of(
            str(truth), "no levels.csv", "the truth of a sample city", "run deploy-opt init"
        )
    levels = pd.read_csv(truth / "levels.csv")
    known = levels["service"].unique().tolist()
    if service not in known:
        raise InputError.of(
            "service", repr(service), f"one of {', '.join(known)}", nearest(service, known)
        )
    local = pd.read_csv(truth / "local_factors.csv", parse_dates=["first_hour", "last_hour"])
    city = pd.read_csv(truth / "city_factors.csv.gz", parse_dates=["hour"])
    factors = Factors(levels, pd.read_csv(truth / "shapes.csv"), city, local)
    rates = compose(factors, service)
    stamps = city["hour"].to_numpy(dtype="datetime64[s]")
    hour, first, length = np.unique(stamps, return_index=True, return_counts=True)
    summed = np.add.reduceat(rates, first, axis=1)
    area_ids = levels.loc[levels["service"] == service, "area_id"].to_numpy()
    return pd.DataFrame(
        {
            "service": service,
            "area_id": np.repeat(area_ids, len(hour)),
            "hour": np.tile(hour, len(area_ids)),
            "rate": summed.ravel(),
            "hours": np.tile(length, len(area_ids)),
        }
    )
