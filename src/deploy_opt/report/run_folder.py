"""The folder of a finished run, read back by its contracts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.report.manifest import MANIFEST
from deploy_opt.tables import TABLES, check_frame

if TYPE_CHECKING:
    from pathlib import Path

_TEXT = ("id", "text", "mixed")
_NEEDED = ("run_id", "scenario", "files_sha256")
_AGAIN = "make the run again with this release"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A finished run.

    Attributes
    ----------
    path
        Its folder.
    manifest
        What its ``manifest.json`` says.
    """

    path: Path
    manifest: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> RunFolder:
        """Open the folder of a run.

        Raises
        ------
        InputError
            When there is no manifest, or it is not one that a run writes.
        """
        file = path / MANIFEST
        if not file.is_file():
            found = f"no {MANIFEST}" if path.is_dir() else "no such folder"
            do = "`deploy-opt run SCENARIO --out FOLDER` makes one"
            raise InputError.of(str(path), found, "the folder of a finished run", do)
        expected = "the manifest as a run writes it"
        try:
            manifest = json.loads(file.read_text("utf-8"))
        except ValueError as error:
            raise InputError.of(str(file), str(error), expected, _AGAIN) from None
        missing = [key for key in _NEEDED if not isinstance(manifest, dict) or key not in manifest]
        if missing:
            raise InputError.of(str(file), f"no {', '.join(missing)}", expected, _AGAIN)
        return cls(path, manifest)

    @property
    def name(self) -> str:
        """What people call it: the name of its folder."""
        return self.path.absolute().name

    @property
    def scenario(self) -> dict[str, Any]:
        """The scenario as it was run, every default included."""
        scenario: dict[str, Any] = self.manifest["scenario"]
        return scenario

    def table(self, name: str) -> pd.DataFrame | None:
        """Read a table of the run and check it against its contract.

        Parameters
        ----------
        name
            File with a contract in `deploy_opt.tables`.

        Returns
        -------
        pandas.DataFrame or None
            Ids and words as text; None where the run has no such file.

        Raises
        ------
        InputError
            When the file is no table, or does not keep the contract of this release.
        """
        file = self.path / name
        if not file.is_file():
            return None
        contract = TABLES[name]
        words = {column.name: str for column in contract.columns if column.kind in _TEXT}
        try:
            frame = pd.read_csv(file, dtype=words, encoding="utf-8")
        except (ValueError, OSError) as error:
            found = str(error).splitlines()[0]
            raise InputError.of(str(file), found, "the table as a run writes it", _AGAIN) from None
        check_frame(frame, contract, where=str(file))
        return frame[contract.names]
