"""Turn the folder of a run into one file for another program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_opt.errors import InputError, nearest
from deploy_opt.store import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("duckdb",)
_READERS = {".csv": "read_csv_auto", ".parquet": "read_parquet"}


def export_run(folder: Path, *, to: str, file: Path | None = None) -> Path:
    """Export a run.

    Parameters
    ----------
    folder
        Folder of a run; it must hold a manifest.json.
    to
        Format: ``duckdb``, one database with a table for every CSV and Parquet file.
    file
        The file to write; default beside the folder. It may not lie inside it, so that the
        folder keeps its bytes.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        For an unknown format, a folder that is no run, or a file inside the folder.
    """
    if to not in FORMATS:
        raise InputError.of("--to", repr(to), ", ".join(FORMATS), nearest(to, FORMATS))
    if not (folder / "manifest.json").exists():
        raise InputError.of(str(folder), "no manifest.json", "the folder of a finished run")
    target = file or folder.with_name(f"{folder.name}.{to}")
    if target.resolve().is_relative_to(folder.resolve()):
        raise InputError.of(str(target), "a file inside the run", "a file outside it")
    write_atomically(target, lambda path: _write_duckdb(folder, path))
    return target


def _write_duckdb(folder: Path, database: Path) -> None:
    import duckdb

    with duckdb.connect(str(database)) as connection:
        for source in sorted(p for p in folder.iterdir() if p.suffix in _READERS):
            table = source.stem.replace("-", "_")
            reader = _READERS[source.suffix]
            query = f'CREATE TABLE "{table}" AS SELECT * FROM {reader}(?)'  # noqa: S608  (own file names)
            connection.execute(query, [str(source)])
