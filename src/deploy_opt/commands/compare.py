"""Set two finished runs beside each other: keys, numbers, posts, areas, staff."""

from __future__ import annotations

import importlib.metadata
from functools import partial
from typing import TYPE_CHECKING, Any

from deploy_opt.errors import FaultList, InputError
from deploy_opt.report.compare_page import (
    CompareFacts,
    compare_lines,
    compare_summary,
    render_compare,
)
from deploy_opt.report.compare_tables import difference_of
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGE = "compare.html"
_READ = ("metrics.csv", "posts.csv", "areas.csv", "simulation.csv", "shifts.csv", "fte.csv")


def run_compare(
    folder_a: Path, folder_b: Path, *, out_dir: Path | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Compare two runs and write tables and page.

    Parameters
    ----------
    folder_a, folder_b
        Folders of finished runs; differences are B less A.
    out_dir
        Gets ``compare.csv``, ``compare.json`` and ``compare.html``; None: ``compare-A-B`` beside
        the folder of B.

    Returns
    -------
    tuple
        What differs as plain values, and the same in words.

    Raises
    ------
    InputError
        When either is no run, keeps another contract, or both have no table in common.
    """
    run_a, run_b = _both(folder_a, folder_b)
    found = difference_of(run_a, run_b)
    facts = _facts(run_a, run_b)
    summary = compare_summary(found, facts)
    folder = out_dir or run_b.path.absolute().parent / f"compare-{run_a.name}-{run_b.name}"
    writers: dict[str, Callable[[Path], None]] = {
        "compare.csv": partial(write_csv, found.tidy()),
        "compare.json": partial(write_json, summary),
        PAGE: partial(_write_text, render_compare(found, facts)),
    }
    files = write_files(folder, writers)
    lines = [*compare_lines(found, facts), str(folder / PAGE)]
    return summary | {"folder": str(folder), "files": sorted(files)}, lines


def _both(folder_a: Path, folder_b: Path) -> tuple[RunFolder, RunFolder]:
    faults, runs = FaultList(), []
    for folder in (folder_a, folder_b):
        try:
            runs.append(RunFolder.read(folder))
        except InputError as error:
            faults.extend(error.faults)
    faults.raise_if_any()
    files = [{name for name in _READ if (run.path / name).is_file()} for run in runs]
    if not files[0] & files[1]:
        found = ", ".join(sorted(files[0])) or "none of them"
        other = ", ".join(sorted(files[1])) or "none of them"
        where = f"{folder_a}, {folder_b}"
        expected = f"one of {', '.join(_READ)} in both"
        do = "`deploy-opt run` writes them; compare two folders of the same command"
        raise InputError.of(where, f"{found}; {other}", expected, do)
    return runs[0], runs[1]


def _facts(run_a: RunFolder, run_b: RunFolder) -> CompareFacts:
    a, b = run_a.manifest, run_b.manifest
    notes = []
    inputs = [one.get("inputs_sha256", {}) for one in (a, b)]
    other = sorted(n for n in {*inputs[0], *inputs[1]} if inputs[0].get(n) != inputs[1].get(n))
    if other:
        many = f" and {len(other) - 5} more" if len(other) > 5 else ""
        notes.append(f"Other input files: {', '.join(other[:5])}{many}.")
    if run_a.scenario.get("horizon") != run_b.scenario.get("horizon"):
        notes.append("Other hours are planned: some of the difference is the calls'.")
    releases = [one.get("versions", {}).get("deploy-opt", "unknown") for one in (a, b)]
    if releases[0] != releases[1]:
        notes.append(f"Made by release {releases[0]} and {releases[1]}.")
    for name, one in (("A", a), ("B", b)):
        if not one.get("reproducible", True):
            notes.append(f"A clock ended the search of {name}: it may come out otherwise again.")
    names = (run_a.name, run_b.name) if run_a.name != run_b.name else (
        f"A ({run_a.path.absolute().parent.name}/{run_a.name})",
        f"B ({run_b.path.absolute().parent.name}/{run_b.name})",
    )  # fmt: skip
    return CompareFacts(
        name_a=names[0],
        name_b=names[1],
        title=str(run_b.scenario.get("name", run_b.name)),
        synthetic=bool(a.get("synthetic") or b.get("synthetic")),
        notes=tuple(notes),
        provenance=(
            f"Runs {str(a['run_id'])[:6]} and {str(b['run_id'])[:6]}, deploy_opt "
            f"{importlib.metadata.version('deploy-opt')}."
        ),
    )


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
