"""Replace names by keyed hashes, and places by fixed places nearby.

Without the key a hash cannot be tried out against a list of names, so the key must lie apart from
what it made. The same value, purpose and key always give the same answer: links can be found, and
averaging repeated exports undoes no mask.

References
----------
RFC 2104 (HMAC), FIPS 180-4 (SHA-256). Hampton et al. (2010), Mapping health data: improved privacy
protection with donut method geomasking, Am. J. Epidemiology 172.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

SHORTEST_KEY = 16
"""Fewest bytes of a key; 32 are better."""
_METRES_PER_DEGREE = 111_320.0
_FARTHEST_LAT = 85.0


def read_key(path: Path, *, apart_from: Iterable[Path]) -> bytes:
    """Read a key, and refuse one that lies beside what it protects.

    Parameters
    ----------
    path
        File that holds the key's bytes; spaces and line ends around them do not count.
    apart_from
        Folders that are passed on or published.

    Returns
    -------
    bytes
        The key.

    Raises
    ------
    InputError
        If the file is not there, too short, or inside one of the folders.
    """
    home = path.resolve()
    for folder in apart_from:
        if home.is_relative_to(folder.resolve()):
            raise InputError.of(
                str(path), f"the key inside {folder}", "a key kept apart", "move it elsewhere"
            )
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        found = error.strerror or "no readable file"
        raise InputError.of(str(path), found, "a file that holds the key") from error
    _check_key(key)
    return key


def keyed_hash(values: Iterable[str | None], key: bytes, *, purpose: str) -> list[str | None]:
    """Hash values with HMAC-SHA-256; different purposes give hashes that cannot be joined.

    Parameters
    ----------
    values
        Names or other words; case, spaces and the form of accents do not count. Empty: None.
    key
        At least 16 random bytes.
    purpose
        What the hashes are for, such as ``linkage 2026``.

    Returns
    -------
    list
        64 hexadecimal digits for each value, or None.

    Raises
    ------
    InputError
        If the key is too short or the purpose is empty.
    """
    _check_key(key)
    if not purpose.strip():
        raise InputError.of("purpose", "nothing", "what the hashes are for")
    own = hmac.digest(key, purpose.encode(), "sha256")
    words = (None if v is None else _plain(v) for v in values)
    return [hmac.new(own, w.encode(), hashlib.sha256).hexdigest() if w else None for w in words]


def mask_points(
    lon: ArrayLike,
    lat: ArrayLike,
    record_ids: Sequence[str],
    key: bytes,
    *,
    nearest_m: float,
    farthest_m: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move each point to a place in the ring around it that its id and the key determine.

    Parameters
    ----------
    lon, lat
        Degrees (WGS 84), shape (points,), between 85 degrees south and north.
    record_ids
        Id of each point: the same record always moves to the same place.
    key
        At least 16 random bytes.
    nearest_m, farthest_m
        Inner and outer radius of the ring; choose them by how densely people live there.

    Returns
    -------
    tuple
        Longitudes and latitudes, uniform over the area of the ring.

    Raises
    ------
    InputError
        If the radii, the points or the key are wrong.
    """
    _check_key(key)
    if not 0.0 <= nearest_m < farthest_m < math.inf:
        found = f"{nearest_m} to {farthest_m}"
        raise InputError.of("nearest_m, farthest_m", found, "0 <= nearest_m < farthest_m")
    x, y = (np.asarray(v, dtype=np.float64) for v in (lon, lat))
    if not x.shape == y.shape == (len(record_ids),):
        found = f"{x.shape}, {y.shape} and {len(record_ids)} ids"
        raise InputError.of("lon, lat, record_ids", found, "as many of each")
    if not (np.isfinite(x) & (np.abs(y) <= _FARTHEST_LAT)).all():
        raise InputError.of("lon, lat", "points off the map", "degrees within 85 south and north")
    own = hmac.digest(key, b"mask of points", "sha256")
    digests = b"".join(hmac.digest(own, str(r).encode(), "sha256")[:16] for r in record_ids)
    chance = np.frombuffer(digests, dtype=">u8").reshape(-1, 2) / 2.0**64
    radius_m = np.sqrt(nearest_m**2 + chance[:, 0] * (farthest_m**2 - nearest_m**2))
    angle = 2.0 * np.pi * chance[:, 1]
    east = radius_m * np.cos(angle) / (_METRES_PER_DEGREE * np.cos(np.radians(y)))
    return x + east, y + radius_m * np.sin(angle) / _METRES_PER_DEGREE


def _plain(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _check_key(key: bytes) -> None:
    if len(key) < SHORTEST_KEY:
        raise InputError.of(
            "key", f"{len(key)} bytes", f"at least {SHORTEST_KEY}", "make one: openssl rand -hex 32"
        )
