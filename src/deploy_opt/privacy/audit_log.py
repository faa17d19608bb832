"""Keep a log of who did what with which data, in which no past line can be changed unseen.

Each line carries the hash of the line before: ``sha256(prev + canonical json)``. Whoever notes
the last hash elsewhere can also tell when lines were cut from the end.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy_opt.errors import Fault, InputError

if TYPE_CHECKING:
    from pathlib import Path

START = "0" * 64
"""Hash before the first line."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act.

    Attributes
    ----------
    at
        When, ISO 8601 with zone.
    who
        Person or account.
    action
        What was done, such as ``run`` or ``link``.
    params
        With which parameters; plain JSON values.
    data_digest
        SHA-256 of the data.
    code_version
        Version of the program.
    output_digest
        SHA-256 of the outputs.
    """

    at: str
    who: str
    action: str
    params: dict[str, Any]
    data_digest: str
    code_version: str
    output_digest: str


def append(path: Path, entry: AuditEntry) -> str:
    """Add an entry to a log; one process at a time.

    Parameters
    ----------
    path
        The log, JSON lines; made if it is not there.
    entry
        What to note.

    Returns
    -------
    str
        Hash of the new last line, to be noted elsewhere.

    Raises
    ------
    InputError
        If the log was changed, or the parameters are not plain JSON values.
    """
    head = verify(path) if path.exists() else START
    fields = dataclasses.asdict(entry)
    try:
        digest = _chained(head, fields)
    except (TypeError, ValueError) as error:
        raise InputError.of("params", str(error), "plain JSON values") from error
    line = json.dumps({"prev": head, "entry": fields, "hash": digest}, sort_keys=True)
    with path.open("a", encoding="utf-8") as log:
        log.write(f"{line}\n")
        log.flush()
        os.fsync(log.fileno())
    return digest


def verify(path: Path, *, head: str | None = None) -> str:
    """Check every line of a log.

    Parameters
    ----------
    path
        The log.
    head
        Hash of the last line, as noted elsewhere; without it a cut at the end is not seen.

    Returns
    -------
    str
        Hash of the last line.

    Raises
    ------
    InputError
        If the log cannot be read; names the first line that does not fit.
    """
    found, number = START, 0
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.of(str(path), str(error), "a log in UTF-8") from error
    for number, line in enumerate(text.splitlines(), start=1):
        found = _next_hash(found, line, f"{path}: line {number}")
    if text and not text.endswith("\n"):
        do = "look for the log's copy"
        raise InputError.of(f"{path}: line {number}", "no end of the line", "a whole line", do)
    if head is not None and found != head:
        do = "lines were cut off or added since; look for the log's copy"
        raise InputError.of(str(path), f"the last hash {found}", head, do)
    return found


def _next_hash(prev: str, line: str, where: str) -> str:
    broken = Fault(
        where, "a line that was changed", "the line as written", "look for the log's copy"
    )
    try:
        record = json.loads(line)
        if set(record) != {"prev", "entry", "hash"}:
            raise InputError([broken])
        digest = _chained(prev, record["entry"])
    except (TypeError, ValueError) as error:
        raise InputError([broken]) from error
    if (
        record["prev"] != prev
        or record["hash"] != digest
        or line != json.dumps(record, sort_keys=True)
    ):
        raise InputError([broken])
    return digest


def _chained(prev: str, fields: dict[str, Any]) -> str:
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256((prev + text).encode()).hexdigest()
