"""Invented call summaries with a known truth, to prove triage support on.

Plainly synthetic: each is a row of sentences drawn from a list by the tier, with invented names,
numbers and addresses between them. So the best possible probabilities of the tiers are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIER_SHARES = (0.2, 0.2, 0.25, 0.35)
"""Share of each tier, 1 to 4."""
SENTENCES: tuple[tuple[str, tuple[int, int, int, int]], ...] = (
    ("he has a gun and is pointing it at people", (16, 3, 1, 1)),
    ("somebody was shot and is bleeding badly", (16, 2, 1, 1)),
    ("she is not breathing", (14, 3, 1, 1)),
    ("they are fighting with knives right now", (15, 3, 1, 1)),
    ("a man is breaking into the house while we are inside", (15, 2, 2, 1)),
    ("he says he wants to hurt himself", (4, 16, 4, 1)),
    ("she is walking in traffic and talking to herself", (4, 15, 4, 1)),
    ("he threatened his brother but there is no weapon", (5, 14, 4, 1)),
    ("she has not slept for days and hears voices", (2, 15, 6, 1)),
    ("he locked himself in and will not answer", (4, 13, 5, 2)),
    ("an old man needs somebody to check on him", (1, 4, 15, 4)),
    ("a man sleeps in the doorway of a shop", (1, 3, 15, 5)),
    ("she is lost and asks for a ride home", (1, 4, 14, 4)),
    ("neighbours argue about a parking place", (2, 3, 13, 7)),
    ("somebody drank too much and sits on a bench", (1, 4, 14, 4)),
    ("the car was scratched overnight", (1, 1, 3, 16)),
    ("loud music comes from the flat upstairs", (1, 1, 5, 15)),
    ("a wallet was found on the bus", (1, 1, 3, 15)),
    ("the caller wants a report for the insurance", (1, 1, 3, 16)),
    ("a bicycle was stolen yesterday", (1, 2, 3, 15)),
    ("please hurry", (6, 4, 3, 2)),
    ("nobody is hurt", (1, 3, 5, 6)),
    ("the caller is calm", (2, 3, 5, 5)),
    ("the caller is crying", (5, 5, 3, 2)),
    ("it started a while ago", (3, 4, 4, 4)),
)
"""Sentence and how often each tier says it, in relation to its others."""
FIRST_NAMES = ("Velma", "Orrin", "Tamsin", "Ludo", "Perpetua", "Casimir", "Isolde", "Bartholo")
LAST_NAMES = ("Quibble", "Featherstone", "Nettlewick", "Okonjola", "Marrowby", "Zanderling")
STREETS = ("Larkspur Street", "Old Tannery Road", "Quince Avenue", "North Bellwether Drive")

_FEWEST, _MOST = 3, 7
_ASIDE_SHARE = 0.6


def make_transcripts(num_calls: int, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Invent call summaries.

    Parameters
    ----------
    num_calls
        How many.
    seed
        Seed of all chance.

    Returns
    -------
    calls : pandas.DataFrame
        call_id, text, tier (1 .. 4, as settled after the call), area_group.
    truth : pandas.DataFrame
        call_id, p1 .. p4 (the best probabilities that the sentences allow), private (what must not
        be left in a redacted text, parted by ``|``).
    """
    rng = stream(seed, "synthetic transcripts")
    says = np.array([weights for _, weights in SENTENCES], dtype=float)
    says /= says.sum(axis=0)
    tier = rng.choice(len(TIER_SHARES), num_calls, p=TIER_SHARES)
    lengths = rng.integers(_FEWEST, _MOST + 1, num_calls)
    group = rng.choice(["north", "south"], num_calls)
    texts, private, log_odds = [], [], np.log(np.tile(TIER_SHARES, (num_calls, 1)))
    for row in range(num_calls):
        drawn = rng.choice(len(SENTENCES), lengths[row], p=says[:, tier[row]])
        log_odds[row] += np.log(says[drawn]).sum(axis=0)
        parts = [SENTENCES[k][0] for k in drawn]
        hidden: list[str] = []
        if rng.random() < _ASIDE_SHARE:
            aside, hidden = _aside(rng)
            parts.insert(int(rng.integers(len(parts) + 1)), aside)
        texts.append(". ".join(parts) + ".")
        private.append("|".join(hidden))
    p = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    ids = [f"T{row:06d}" for row in range(num_calls)]
    calls = pd.DataFrame({"call_id": ids, "text": texts, "tier": tier + 1, "area_group": group})
    return calls, _truth(ids, p, private)


def _truth(ids: list[str], p: NDArray[np.float64], private: list[str]) -> pd.DataFrame:
    table = pd.DataFrame({"call_id": ids})
    return table.assign(**{f"p{k + 1}": p[:, k] for k in range(p.shape[1])}, private=private)


def _aside(rng: np.random.Generator) -> tuple[str, list[str]]:
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    number, street = int(rng.integers(10, 9900)), rng.choice(STREETS)
    phone = f"555-{rng.integers(200, 999)}-{rng.integers(1000, 9999)}"
    forms = (
        (f"my name is {first} {last}", [first, last]),
        (f"the address is {number} {street}", [str(number), street]),
        (f"my number is {phone}", [phone]),
        (f"ask for Mrs. {last} at {number} {street}", [last, str(number), street]),
    )
    text, hidden = forms[int(rng.integers(len(forms)))]
    return text, [str(word) for word in hidden]
