"""A folder with the synthetic sample city and its commented scenario."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from deploy_opt.start.folder import refuse_full

if TYPE_CHECKING:
    from pathlib import Path


def sample_scenario_text(data: str, police_files: list[str]) -> str:
    """Write the commented first scenario for sample data in the folder `data`.

    Parameters
    ----------
    data
        Folder of the sample data as the scenario shall name it.
    police_files
        Names of the police records, which stand in several files.
    """
    template = resources.files("deploy_opt.inputs").joinpath("templates/sample_city.yaml")
    text = template.read_text(encoding="utf-8")
    listed = ", ".join(f"{data}/{name}" for name in police_files)
    police = f"    - {{file: [{listed}], preset: generic}}"
    return text.replace("{police}", police).replace("{data}", data)


def init_sample_city(folder: Path) -> Path:
    """Generate the synthetic sample city and a commented scenario in a new folder.

    Returns
    -------
    pathlib.Path
        The scenario file.

    Raises
    ------
    InputError
        When the folder holds files already.
    """
    from deploy_opt.inputs.sample_city import write_sample_city

    refuse_full(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    write_sample_city(data)
    police = sorted(p.name for p in data.glob("incidents_police*.csv.gz"))
    file = folder / "scenario.yaml"
    file.write_text(sample_scenario_text("data", police), encoding="utf-8")
    return file
