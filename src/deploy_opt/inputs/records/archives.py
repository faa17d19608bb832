"""Open a file that may be packed (.gz, or .zip with one file in it)."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, cast

from deploy_opt.errors import InputError


def inner_suffix(path: Path) -> str:
    """Take the ending of the name of what is packed, or of the file itself, in lower case."""
    if path.suffix.lower() == ".zip":
        return PurePosixPath(_only_member(path)).suffix.lower()
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked.

    Raises
    ------
    InputError
        When a .zip does not hold exactly one file, or is locked.
    """
    ending = path.suffix.lower()
    if ending == ".gz":
        return cast("IO[bytes]", gzip.open(path))
    if ending == ".zip":
        return zipfile.ZipFile(path).open(_only_member(path))
    return path.open("rb")


_LOCKED = 0x1
"""Bit of a member's flags that says it is encrypted (PKWARE's application note, 4.4.4)."""


def _only_member(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if not n.endswith("/") and "__MACOSX" not in n]
            locked = any(member.flag_bits & _LOCKED for member in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        raise InputError.of(str(path), "no archive that can be read", "a .zip file") from None
    if len(names) != 1:
        shown = ", ".join(names[:6]) or "nothing"
        raise InputError.of(str(path), f"{len(names)} files ({shown})", "a .zip with one file")
    if locked:
        raise InputError.of(str(path), "a file behind a password", "a .zip that opens without one")
    return names[0]
