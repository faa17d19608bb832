"""The manifest of a run: what it was made from, by what, and what it left."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

from deploy_opt.report.files import remove_stale, write_files, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from deploy_opt.progress import StageTime
    from deploy_opt.settings import Scenario

MANIFEST = "manifest.json"


def write_manifest(
    folder: Path,
    scenario: Scenario,
    *,
    files: Mapping[str, str],
    hashes: Mapping[str, str],
    versions: Mapping[str, str],
    times: Sequence[StageTime],
    run_id: str,
    executor: str = "serial",
) -> None:
    """Write the manifest, last, and remove what an earlier run left behind.

    It holds no path of the machine: inputs stand as the scenario writes them. Files of an earlier
    command with the same `run_id` belong to the same run and stay; those of another are removed.

    Parameters
    ----------
    folder
        The folder of the run.
    scenario
        The scenario as it was run.
    files
        Files of this run and their SHA-256.
    hashes
        Input files as written in the scenario and their SHA-256.
    versions
        Libraries and their versions.
    times
        What each stage cost; the only figures of a run that differ between two runs.
    run_id
        Short hash of scenario, inputs and code.
    executor
        Where the work was done.
    """
    before_id, before = _before(folder)
    if before_id == run_id:
        files = {**{name: h for name, h in before.items() if (folder / name).is_file()}, **files}
    document = {
        "run_id": run_id,
        "scenario": scenario.resolved(),
        "scenario_file": scenario.origin.file.name,
        "variant": scenario.origin.variant,
        "overrides": list(scenario.origin.overrides),
        "inputs_sha256": dict(hashes),
        "files_sha256": dict(sorted(files.items())),
        "versions": {**versions, "python": platform.python_version()},
        "seed": scenario.seed,
        "time_zone": scenario.time_zone,
        "synthetic": scenario.synthetic,
        "executor": executor,
        "reproducible": scenario.solver.time_limit_s is None,
        "stages": [
            {
                "stage": time.stage,
                "seconds": time.seconds,
                "peak_memory_mb": time.peak_memory_mb,
                "reused": time.reused,
            }
            for time in times
        ],
    }
    write_files(folder, {MANIFEST: lambda path: write_json(document, path)})
    remove_stale(folder, {**files, MANIFEST: ""}, before)


def holds_run(folder: Path, run_id: str) -> bool:
    """Whether a folder holds the page of a run."""
    return _before(folder)[0] == run_id and (folder / "index.html").is_file()


def _before(folder: Path) -> tuple[str, dict[str, str]]:
    """Read the last run's id and files; nothing when there is no manifest that says so."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = {str(name): str(value) for name, value in found["files_sha256"].items()}
        return str(found["run_id"]), files
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", {}
