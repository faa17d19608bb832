"""A watched folder: every file counted once, across restarts and whatever stops the program."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.demand.trends.day_counts import ROW_COLUMNS
from deploy_opt.errors import InputError
from deploy_opt.store import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_STATE = "state.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Watch:
    """What has been counted.

    Attributes
    ----------
    rows
        Calls so far, `ROW_COLUMNS`, each incident once.
    files
        SHA-256 of each file's bytes -> its name.
    step
        Number of files taken in.
    """

    rows: pd.DataFrame
    files: Mapping[str, str] = field(default_factory=dict)
    step: int = 0

    def knows(self, digest: str) -> bool:
        """Say whether a file with these bytes was taken in, under whatever name."""
        return digest in self.files

    def take(self, name: str, digest: str, rows: pd.DataFrame) -> Watch:
        """Take a file in: calls that are known already are not counted again.

        Parameters
        ----------
        name, digest
            The file and the SHA-256 of its bytes.
        rows
            Its calls, `ROW_COLUMNS`.
        """
        if self.knows(digest):
            return self
        both = pd.concat([self.rows, rows[list(ROW_COLUMNS)]], ignore_index=True)
        once = both.drop_duplicates(["service", "incident_id"], keep="first", ignore_index=True)
        return replace(self, rows=once, files={**self.files, digest: name}, step=self.step + 1)


def load_watch(folder: Path) -> Watch | None:
    """Read the state of a watched folder; None where there is none.

    Raises
    ------
    InputError
        For a state of another program version, and one whose calls are missing.
    """
    file = folder / _STATE
    if not file.is_file():
        return None
    state = json.loads(file.read_text(encoding="utf-8"))
    if state.get("format") != _FORMAT:
        found = f"a state of format {state.get('format')}"
        raise InputError.of(str(file), found, f"format {_FORMAT}", "start in a new folder")
    rows = folder / state["rows"]
    if not rows.is_file():
        raise InputError.of(str(rows), "no such file", "the calls counted so far")
    return Watch(pd.read_parquet(rows), state["files"], state["step"])


def save_watch(watch: Watch, folder: Path) -> None:
    """Keep the state: the calls under a new name first, then the note that names them.

    Whatever stops the program in between, the note names the calls of one whole step.
    """
    rows = f"calls-{watch.step:06d}.parquet"
    write_atomically(folder / rows, lambda path: watch.rows.to_parquet(path, index=False))
    state = {"format": _FORMAT, "rows": rows, "files": dict(watch.files), "step": watch.step}
    text = json.dumps(state, indent=1, sort_keys=True)
    write_atomically(folder / _STATE, lambda path: _write(text, path))
    for old in folder.glob("calls-*.parquet"):
        if old.name != rows:
            old.unlink()


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
