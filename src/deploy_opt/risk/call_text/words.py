"""Count the words of redacted texts over a fixed vocabulary."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from deploy_opt.errors import InputError
from deploy_opt.risk.call_text.redact import MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_TEXTS = 11
"""Different texts that a word must stand in to be kept: no word that only a few calls hold."""
MOST_WORDS = 5000
SHARES_HEARD = (0.25, 0.5, 0.75, 1.0)
"""Shares of a text at which it is judged."""

_WORD = re.compile(r"[^\W\d_](?:[\w'’]*[^\W_])?")


def words_of(text: str) -> list[str]:
    """Part a redacted text into words in lower case, without the marks."""
    return [word.lower() for word in _WORD.findall(text) if word not in MARKS]


def beginning(text: str, share: float) -> str:
    """Take the first words of a text: at least one, and a share of them rounded up.

    Examples
    --------
    >>> beginning("he is not breathing now", 0.5)
    'he is not'
    """
    words = text.split()
    return " ".join(words[: max(1, int(np.ceil(share * len(words) - 1e-9)))])


def vocabulary_of(
    texts: Sequence[str], *, least_texts: int = LEAST_TEXTS, most_words: int = MOST_WORDS
) -> tuple[str, ...]:
    """List the words that enough texts hold, in alphabetical order.

    Parameters
    ----------
    texts
        Redacted texts, one a call.
    least_texts
        Different texts that a word must stand in.
    most_words
        Words kept at most, the most frequent.

    Raises
    ------
    InputError
        If no word is left.
    """
    held = Counter(word for text in texts for word in set(words_of(text)))
    kept = [(count, word) for word, count in held.items() if count >= least_texts]
    if not kept:
        found = f"no word that {least_texts} of {len(texts)} texts hold"
        raise InputError.of("texts", found, "more texts")
    best = sorted(kept, key=lambda pair: (-pair[0], pair[1]))[:most_words]
    return tuple(sorted(word for _, word in best))


def word_matrix(texts: Sequence[str], vocabulary: Sequence[str]) -> csr_array:
    """Say which words of the vocabulary each text holds, 1 or 0, shape (texts, words)."""
    place = {word: number for number, word in enumerate(vocabulary)}
    rows = [sorted({place[w] for w in words_of(text) if w in place}) for text in texts]
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter((c for row in rows for c in row), dtype=np.int64, count=int(ends[-1]))
    return csr_array((np.ones(len(columns)), columns, ends), shape=(len(texts), len(vocabulary)))
