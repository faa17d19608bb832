"""Keep models as plain text with a seal: nothing in them can run, and changes are refused.

A file is JSON: what it is, the model, and a seal over both. The seal is an HMAC-SHA-256 where a
key is given, which nobody without the key can make anew; else a SHA-256, which shows damage and
careless edits, and every edit if it is also noted elsewhere (`expected_seal`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from deploy_opt.errors import InputError
from deploy_opt.privacy.keys import SHORTEST_KEY
from deploy_opt.store import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
_MAKE = "fit the model again, or fetch the copy that was sealed"


def write_model(path: Path, kind: str, content: dict[str, Any], *, key: bytes | None = None) -> str:
    """Write a model and seal it.

    Parameters
    ----------
    path
        The file.
    kind
        What it is, such as ``officer risk``.
    content
        Plain JSON values without NaN.
    key
        At least 16 random bytes that lie apart from the file; None: a seal that needs no key.

    Returns
    -------
    str
        The seal, to be noted elsewhere.

    Raises
    ------
    InputError
        If the key is too short.
    """
    _check_key(key)
    body = {"format": FORMAT, "kind": kind, "keyed": key is not None, "content": content}
    seal = _seal(body, key)
    text = json.dumps({**body, "seal": seal}, sort_keys=True, allow_nan=False)

    def write(new: Path) -> None:
        new.write_text(f"{text}\n", encoding="utf-8")

    write_atomically(path, write)
    return seal


def read_model(
    path: Path, kind: str, *, key: bytes | None = None, expected_seal: str | None = None
) -> dict[str, Any]:
    """Read a model whose seal is whole.

    Parameters
    ----------
    path
        The file.
    kind
        What it must be.
    key
        The key it was sealed with.
    expected_seal
        The seal as noted elsewhere.

    Returns
    -------
    dict
        The content.

    Raises
    ------
    InputError
        If the file cannot be read, is something else, was sealed with a key that is not given or
        without one though one is given, or was changed.
    """
    _check_key(key)
    where = str(path)
    try:
        body = json.loads(path.read_text("utf-8"))
        seal = body.pop("seal")
        found, keyed, content = body["kind"], body["keyed"], body["content"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.of(where, f"{type(error).__name__}: {error}", "a model file") from error
    if found != kind or body.get("format") != FORMAT:
        expected = f"a model of {kind}, format {FORMAT}"
        raise InputError.of(where, f"{found!r}, format {body.get('format')!r}", expected)
    if keyed != (key is not None):
        has = "a seal made with a key" if keyed else "a seal made without a key"
        do = "give the key" if keyed else _MAKE
        raise InputError.of(where, has, "the other kind of seal", do)
    if not isinstance(seal, str) or not hmac.compare_digest(seal, _seal(body, key)):
        raise InputError.of(where, "a model that was changed", "the model as it was sealed", _MAKE)
    if expected_seal is not None and not hmac.compare_digest(seal, expected_seal):
        raise InputError.of(where, f"the seal {seal}", expected_seal, _MAKE)
    plain: dict[str, Any] = content
    return plain


def _seal(body: dict[str, Any], key: bytes | None) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    if key is None:
        return hashlib.sha256(text).hexdigest()
    return hmac.digest(key, text, "sha256").hex()


def _check_key(key: bytes | None) -> None:
    if key is not None and len(key) < SHORTEST_KEY:
        raise InputError.of("key", f"{len(key)} bytes", f"at least {SHORTEST_KEY}")
