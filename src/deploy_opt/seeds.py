"""Named random streams: one scenario seed, one stream per name, none disturbing another.

A stream's state depends on the seed and on its own name alone, so adding a stream changes no
other and two variants of a scenario share their random numbers (common random numbers).
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """Make the random generator of one named stream.

    Parameters
    ----------
    seed
        The scenario's seed, a whole number >= 0.
    name
        What the stream is for, such as ``("demand", "paths", "ems")``.

    Returns
    -------
    numpy.random.Generator
        PCG64, the same for the same seed and name on every machine.

    Examples
    --------
    >>> bool(stream(1, "a").random() == stream(1, "a").random())
    True
    >>> bool(stream(1, "a").random() == stream(1, "b").random())
    False
    """
    text = "\x1f".join([str(int(seed)), *(str(part) for part in name)])
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
