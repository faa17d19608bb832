"""Keep a person's decision beside the advice; the person's is the one that counts.

Lines of the log are chained by hashes, so that none can be changed unseen. It holds no text: only
the digest of the redacted one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.privacy.audit_log import AuditEntry, append, verify
from deploy_opt.risk.call_text.model import TIERS

if TYPE_CHECKING:
    from pathlib import Path

ACTION = "triage decision"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was advised and what a person decided.

    Attributes
    ----------
    call_id
        The call.
    decided
        Tier that the person chose: the tier of the call.
    advised
        Tier of the model.
    may_be
        Tiers of its set.
    reason
        The person's words, where they were asked for; redacted by the caller of this function.

    Raises
    ------
    InputError
        For tiers that do not exist.
    """

    call_id: str
    decided: int
    advised: int
    may_be: tuple[int, ...]
    reason: str = ""

    def __post_init__(self) -> None:
        faults = FaultList()
        for name, tiers in (
            ("decided", (self.decided,)),
            ("advised", (self.advised,)),
            ("may_be", self.may_be),
        ):
            if not tiers or not set(tiers) <= set(TIERS):
                faults.add(f"call {self.call_id}: {name}", str(tiers), f"tiers {TIERS}")
        faults.raise_if_any()

    @property
    def tier(self) -> int:
        """Tier of the call: the person's, whatever was advised."""
        return self.decided


def log_decision(
    path: Path, decision: Decision, *, at: str, who: str, text: str, code_version: str
) -> str:
    """Add a decision to the log of agreement.

    Parameters
    ----------
    path
        The log, JSON lines.
    decision
        Advice and decision.
    at
        When, ISO 8601 with zone.
    who
        The person or seat that decided.
    text
        The redacted text; only its digest is kept.
    code_version
        Version of the program.

    Returns
    -------
    str
        Hash of the new last line, to be noted elsewhere.

    Raises
    ------
    InputError
        If the log was changed.
    """
    params = {
        "call_id": decision.call_id,
        "decided": decision.decided,
        "advised": decision.advised,
        "may_be": list(decision.may_be),
        "reason": decision.reason,
    }
    advice = f"{decision.advised} {decision.may_be}".encode()
    entry = AuditEntry(
        at=at,
        who=who,
        action=ACTION,
        params=params,
        data_digest=hashlib.sha256(text.encode()).hexdigest(),
        code_version=code_version,
        output_digest=hashlib.sha256(advice).hexdigest(),
    )
    return append(path, entry)


def agreement(path: Path, *, head: str | None = None) -> pd.DataFrame:
    """Count how often persons decide as advised, after checking the whole log.

    Parameters
    ----------
    path
        The log.
    head
        Hash of its last line, as noted elsewhere.

    Returns
    -------
    pandas.DataFrame
        advised (a tier, or -1: all), n, agree, in_set, more_protective, less_protective (shares of
        n). High agreement may also mean that nobody looks: read it beside the reasons.

    Raises
    ------
    InputError
        If the log was changed or cannot be read.
    """
    verify(path, head=head)
    entries = [json.loads(line)["entry"] for line in path.read_text("utf-8").splitlines()]
    made = [entry["params"] for entry in entries if entry["action"] == ACTION]
    table = pd.DataFrame(
        {
            "advised": [p["advised"] for p in made],
            "agree": [p["decided"] == p["advised"] for p in made],
            "in_set": [p["decided"] in p["may_be"] for p in made],
            "more_protective": [p["decided"] < p["advised"] for p in made],
            "less_protective": [p["decided"] > p["advised"] for p in made],
        }
    )
    tiers = [(-1, table), *((tier, part) for tier, part in table.groupby("advised"))]
    shares = ["agree", "in_set", "more_protective", "less_protective"]
    rows = [(tier, len(part), *(float(part[s].mean()) for s in shares)) for tier, part in tiers]
    return pd.DataFrame(rows, columns=["advised", "n", *shares])
