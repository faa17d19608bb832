"""Keep finished stages in a cache so that a second run can take them up again.

A stage is kept under the hash of everything it was made from. Values are written as Parquet,
GeoParquet, npz and JSON; nothing that is read back can run code.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import importlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CACHE_FOLDER = ".deploy_opt_cache"
_TREE = "tree.json"
_NOTE = "README.txt"
_NOTE_TEXT = """Finished stages of deploy_opt, to be taken up by later runs.
Holds records of calls: do not pass this folder on. It may be deleted at any time.
"""
_MOST_KEPT = 6


def fingerprint(*parts: object) -> str:
    """Hash plain values into 64 hexadecimal digits; equal values give equal hashes."""
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Hash a file's bytes (SHA-256, hexadecimal)."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def code_fingerprint(package: str) -> str:
    """Hash the source of a package, so that a changed program takes up nothing of the old."""
    folder = Path(str(importlib.import_module(package).__file__)).parent
    endings = {".py", ".yaml", ".toml", ".html", ".css", ".js"}
    sources = sorted(p for p in folder.rglob("*") if p.suffix in endings)
    return fingerprint([[str(p.relative_to(folder)), file_hash(p)] for p in sources])


class StageStore:
    """Folder of finished stages, each under its key; the last few of every stage are kept.

    Parameters
    ----------
    folder
        Where stages are kept.
    classes
        Dataclasses that may be read back; any other class in a stored stage is refused.
    """

    def __init__(self, folder: Path, classes: Iterable[type]) -> None:
        self._folder = folder
        self._classes = {cls.__qualname__: cls for cls in classes}

    def take(self, stage: str, key: str) -> Any | None:  # noqa: ANN401  (the stage's own type)
        """Read a finished stage back, or return None when it is not there or not readable."""
        place = self._folder / f"{stage}-{key[:24]}"
        if not (place / _TREE).exists():
            return None
        try:
            value = self._decoded(json.loads((place / _TREE).read_text(encoding="utf-8")), place)
            os.utime(place)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return value

    def keep(self, stage: str, key: str, value: object) -> None:
        """Write a finished stage, whole or not at all, and drop results not used for long."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / _NOTE).write_text(_NOTE_TEXT, encoding="utf-8")
        place = self._folder / f"{stage}-{key[:24]}"
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self._folder) as temporary:
            new = Path(temporary) / "stage"
            new.mkdir()
            tree = _encoded(value, new, [0])
            (new / _TREE).write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")
            if place.exists():
                shutil.rmtree(place)
            new.rename(place)
        by_use = sorted(self._folder.glob(f"{stage}-*"), key=lambda p: p.stat().st_mtime_ns)
        for old in by_use[:-_MOST_KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def _decoded(self, node: Any, place: Path) -> Any:  # noqa: ANN401
        if not isinstance(node, dict):
            return [self._decoded(item, place) for item in node] if isinstance(node, list) else node
        kind = node["kind"]
        readers: dict[str, Callable[[], Any]] = {
            "frame": lambda: pd.read_parquet(place / node["file"]),
            "geoframe": lambda: _read_geo(place / node["file"]),
            "array": lambda: np.load(place / node["file"], allow_pickle=False),
            "tuple": lambda: tuple(self._decoded(item, place) for item in node["items"]),
            "dict": lambda: {k: self._decoded(v, place) for k, v in node["items"]},
            "date": lambda: dt.date.fromisoformat(node["value"]),
            "time": lambda: pd.Timestamp(node["value"]),
            "float": lambda: float(node["value"]),
        }
        if kind in readers:
            return readers[kind]()
        cls = self._classes[node["class"]]
        return cls(**{name: self._decoded(item, place) for name, item in node["fields"].items()})


def _read_geo(path: Path) -> Any:  # noqa: ANN401
    import geopandas as gpd

    return gpd.read_parquet(path)


def _encoded(value: Any, place: Path, counter: list[int]) -> Any:  # noqa: ANN401, PLR0911
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else {"kind": "float", "value": str(float(value))}
    if isinstance(value, pd.DataFrame):
        return _encoded_frame(value, place, counter)
    if isinstance(value, np.ndarray):
        file = _next_file(counter, "npy")
        np.save(place / file, value, allow_pickle=False)
        return {"kind": "array", "file": file}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        fields = {name: _encoded(getattr(value, name), place, counter) for name in names}
        return {"kind": "class", "class": type(value).__qualname__, "fields": fields}
    if isinstance(value, tuple):
        return {"kind": "tuple", "items": [_encoded(item, place, counter) for item in value]}
    if isinstance(value, list):
        return [_encoded(item, place, counter) for item in value]
    if isinstance(value, dict):
        items = [[key, _encoded(item, place, counter)] for key, item in value.items()]
        return {"kind": "dict", "items": items}
    if isinstance(value, pd.Timestamp):
        return {"kind": "time", "value": value.isoformat()}
    if isinstance(value, dt.date):
        return {"kind": "date", "value": value.isoformat()}
    msg = f"a {type(value).__name__} cannot be kept in a stage"
    raise TypeError(msg)


def _encoded_frame(frame: pd.DataFrame, place: Path, counter: list[int]) -> dict[str, str]:
    file = _next_file(counter, "parquet")
    is_geo = hasattr(frame, "geometry") and type(frame).__name__ == "GeoDataFrame"
    frame.to_parquet(place / file)
    return {"kind": "geoframe" if is_geo else "frame", "file": file}


def _next_file(counter: list[int], ending: str) -> str:
    counter[0] += 1
    return f"{counter[0]:04d}.{ending}"


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under another name first, then move it into place.

    Parameters
    ----------
    path
        Where the file shall stand.
    write
        Writes the file at the path it is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as temporary:
        new = Path(temporary) / path.name
        write(new)
        new.replace(path)
