"""The new folder of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def refuse_full(folder: Path) -> None:
    """Refuse a folder that holds files already.

    Raises
    ------
    InputError
        When it does, or is a file itself.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError.of(str(folder), "files already", "a new or empty folder")
