"""Fetch one URL into a file, whole or not at all."""

from __future__ import annotations

import errno
import http.client
import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from deploy_opt.errors import InputError, OfflineError
from deploy_opt.inputs.fetch.download_recipes import is_allowed, is_loopback

if TYPE_CHECKING:
    from pathlib import Path

ATTEMPTS = 5
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
TIMEOUT_S = 60.0
MAX_BYTES = 8_000_000_000

_CHUNK = 1 << 20
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_NO_ROUTE = frozenset(
    {errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}
)
_ATTEMPTS_WITHOUT_ROUTE = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked and what to do when there is no answer, for the words of errors."""

    where: str
    host: str
    remedy: str


class CutError(OSError):
    """The answer ended early."""


class _SameSafety(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to a URL that may be asked."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Refuse a redirect to plain http on another machine."""
        if not is_allowed(newurl):
            fp.close()
            raise urllib.error.URLError(f"redirected to {newurl[:120]}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch_file(url: str, target: Path, asked: Asked) -> None:
    """Write the answer of a URL to `target`, which appears only when it is complete.

    A busy or broken portal (429, 5xx) and a cut answer are tried again, waiting longer each
    time; the length is checked against the announced one.

    Parameters
    ----------
    url
        https, or http on this machine.
    target
        File to write.
    asked
        For the words of errors.

    Raises
    ------
    OfflineError
        When the portal cannot be reached.
    InputError
        When the portal refuses, stays broken, or answers with a web page.
    """
    part = target.with_name(target.name + ".part")
    problem: Exception = CutError("no attempt")
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(_pause_s(problem, attempt))
        try:
            _stream(url, part, asked)
            part.replace(target)
        except urllib.error.HTTPError as error:
            with error:
                words = error.read(400).decode("utf-8", "replace").strip()
            if error.code not in _TRY_AGAIN:
                found = f"{error.code} {error.reason}: {' '.join(words.split())[:200]}"
                raise InputError.of(asked.where, found, f"data from {asked.host}") from error
            problem = error
        except (OSError, http.client.HTTPException) as error:
            problem = error
            if _has_no_route(error) and attempt + 1 >= _ATTEMPTS_WITHOUT_ROUTE:
                break
        else:
            return
        finally:
            part.unlink(missing_ok=True)
    if isinstance(problem, urllib.error.HTTPError):
        found = f"{problem.code} {problem.reason} {ATTEMPTS} times"
        do = "try again later; finished pages are kept"
        raise InputError.of(asked.where, found, f"data from {asked.host}", do) from problem
    if isinstance(problem, (CutError, http.client.HTTPException)):
        do = "run again: finished pages are kept"
        raise InputError.of(asked.where, f"a cut answer ({problem})", "all of it", do) from problem
    reason = getattr(problem, "reason", problem)
    found = f"no way to {asked.host} ({reason})"
    raise OfflineError.of(asked.where, found, "the network", asked.remedy) from problem


def _stream(url: str, part: Path, asked: Asked) -> None:
    if not is_allowed(url):
        raise InputError.of(asked.where, url[:120], "https, or http on this machine")
    proxies = urllib.request.ProxyHandler({} if is_loopback(url) else None)
    opener = urllib.request.build_opener(proxies, _SameSafety())
    request = urllib.request.Request(url, headers={"User-Agent": "deploy-opt"})  # noqa: S310  (is_allowed)
    with opener.open(request, timeout=TIMEOUT_S) as answer, part.open("wb") as out:
        if "html" in answer.headers.get("Content-Type", ""):
            raise InputError.of(asked.where, "a web page", f"data from {asked.host}")
        announced = answer.headers.get("Content-Length")
        length = 0
        while chunk := answer.read(_CHUNK):
            length += len(chunk)
            if length > MAX_BYTES:
                raise InputError.of(asked.where, "over 8 GB", "a smaller file", "use since")
            out.write(chunk)
        if announced is not None and length != int(announced):
            raise CutError(f"{length} of {announced} bytes")


def _pause_s(problem: Exception, attempt: int) -> float:
    wanted = ""
    if isinstance(problem, urllib.error.HTTPError):
        wanted = problem.headers.get("Retry-After") or ""
    pause = float(wanted) if wanted.isdigit() else FIRST_PAUSE_S * 2 ** (attempt - 1)
    return min(pause, LONGEST_PAUSE_S)


def _has_no_route(error: Exception) -> bool:
    reason = getattr(error, "reason", error)
    return isinstance(reason, socket.gaierror) or getattr(reason, "errno", None) in _NO_ROUTE
