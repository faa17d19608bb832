"""Download a public data set page by page, checked, resumable and never half written."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import shutil
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy_opt.errors import InputError
from deploy_opt.inputs.fetch.download_recipes import Recipe, Source, fill, list_recipes, load_recipe
from deploy_opt.inputs.fetch.http_files import Asked, fetch_file
from deploy_opt.inputs.fetch.portals import PORTALS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Download", "Recipe", "fetch", "list_recipes", "load_recipe"]

MAX_PAGE_ROWS = 50_000

_NOTE = "pages.json"
_CHUNK = 1 << 20
_MAX_COLUMNS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Download:
    """A finished download.

    Attributes
    ----------
    file
        The data.
    record
        Small JSON beside it: source, window, rows, SHA-256, licence, time of download.
    num_rows
        Rows below the header; None for one file that is not counted.
    sha256
        Of `file`.
    """

    file: Path
    record: Path
    num_rows: int | None
    sha256: str


@dataclass(slots=True)
class _Pages:
    """The finished pages of a download that is under way."""

    folder: Path
    question: str
    total: int
    header: list[str] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)

    def page(self, offset: int) -> Path:
        """File of the page that starts at a row."""
        return self.folder / f"page_{offset:012d}.csv"

    def save(self) -> None:
        """Note the finished pages, for a later call."""
        tree = {
            "question": self.question,
            "total": self.total,
            "header": self.header,
            "hashes": self.hashes,
        }
        _write_json(self.folder / _NOTE, tree)


def fetch(
    recipe: Recipe | str,
    folder: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    base_url: str | None = None,
    page_rows: int = MAX_PAGE_ROWS,
    max_rows: int | None = None,
    since: dt.date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Download:
    """Download the data set of a recipe into a folder.

    The portal is asked for its row count first; every page is checked for its rows and its
    header, and kept in a hidden folder until all are there, so that a second call goes on where
    a first one was stopped. The file and its record appear by rename.

    Parameters
    ----------
    recipe
        A recipe or its name.
    folder
        Where the file goes; made when it does not exist.
    parameters
        Values of the recipe's parameters.
    base_url
        Scheme and host to ask instead of the portal.
    page_rows
        Rows a page.
    max_rows
        Stop after so many rows, for a trial.
    since
        First local day to take.
    progress
        Called with rows so far and rows in all.

    Raises
    ------
    OfflineError
        When the portal cannot be reached; says where to put a file downloaded elsewhere.
    InputError
        When the recipe or an option is wrong, the portal refuses, its header changes between
        pages, or its rows do not add up.
    """
    known = load_recipe(recipe) if isinstance(recipe, str) else recipe
    source = fill(known, parameters=parameters, base_url=base_url, since=since)
    where = f"download {known.name}"
    if page_rows < 1 or (max_rows is not None and max_rows < 1):
        raise InputError.of(where, f"page_rows {page_rows}, max_rows {max_rows}", "at least 1")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.file_name
    remedy = (
        f"this machine cannot reach {source.host}; download {source.page} elsewhere "
        f"and put the file at {target}"
    )
    asked = Asked(where, source.host, remedy)
    if known.kind == "file":
        if max_rows is not None:
            raise InputError.of(where, f"max_rows {max_rows}", "nothing: it comes in one piece")
        num_rows = None
        whole = _one_file(source, target, asked)
    else:
        rows = min(page_rows, known.page_rows or MAX_PAGE_ROWS)
        pages = _open_pages(source, target, asked, rows, max_rows)
        _fill_pages(source, pages, asked, rows, progress)
        num_rows = pages.total
        whole = _joined(pages, target)
    sha256 = _sha256(whole)
    record = target.with_name(target.name + ".source.json")
    whole.replace(target)
    facts = {"rows": num_rows, "bytes": target.stat().st_size, "sha256": sha256}
    _write_json(record, _described(source, since, max_rows) | facts)
    shutil.rmtree(_pages_folder(target), ignore_errors=True)
    return Download(target, record, num_rows, sha256)


def _one_file(source: Source, target: Path, asked: Asked) -> Path:
    whole = target.with_name(f".{target.name}.whole")
    query = f"?{urllib.parse.urlencode(source.query)}" if source.query else ""
    fetch_file(source.address + query, whole, asked)
    if whole.stat().st_size == 0:
        whole.unlink()
        raise InputError.of(asked.where, "an empty answer", f"data from {asked.host}")
    return whole


def _open_pages(
    source: Source, target: Path, asked: Asked, rows: int, max_rows: int | None
) -> _Pages:
    """Ask for the row count; take up the pages of an earlier call if the question is the same."""
    portal = PORTALS[source.recipe.kind]
    folder = _pages_folder(target)
    made_now = not folder.exists()
    folder.mkdir(exist_ok=True)
    answer = folder / "count.json"
    try:
        fetch_file(portal.count_url(source), answer, asked)
        total = portal.count(answer, asked.where)
    except InputError:
        if made_now:
            shutil.rmtree(folder)
        raise
    if total < 1:
        shutil.rmtree(folder)
        raise InputError.of(asked.where, "no rows", "at least one", "take an earlier since")
    total = total if max_rows is None else min(total, max_rows)
    question = f"{portal.page_url(source, offset=0, rows=rows)} of {total}"
    earlier = _earlier(folder, question)
    if earlier is not None:
        return earlier
    shutil.rmtree(folder)
    folder.mkdir()
    return _Pages(folder, question, total)


def _earlier(folder: Path, question: str) -> _Pages | None:
    try:
        tree = json.loads((folder / _NOTE).read_text("utf-8"))
        known = _Pages(
            folder, tree["question"], int(tree["total"]), list(tree["header"]), tree["hashes"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return known if known.question == question else None


def _fill_pages(
    source: Source,
    pages: _Pages,
    asked: Asked,
    rows: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    portal = PORTALS[source.recipe.kind]
    for number, offset in enumerate(range(0, pages.total, rows), start=1):
        expected = min(rows, pages.total - offset)
        page = pages.page(offset)
        if not (page.is_file() and pages.hashes.get(page.name) == _sha256(page)):
            arrived = pages.folder / "arrived"
            fetch_file(portal.page_url(source, offset=offset, rows=expected), arrived, asked)
            where = f"{asked.where}, page {number}"
            portal.to_csv(arrived, where)
            header, num_rows = _read_page(arrived, where)
            if pages.header and header != pages.header:
                shutil.rmtree(pages.folder)
                raise _header_changed(pages.header, header, where)
            if num_rows != expected:
                do = "the portal changed under way or cut the page: run again"
                raise InputError.of(where, f"{num_rows:,} rows", f"{expected:,}", do)
            arrived.replace(page)
            pages.header = header
            pages.hashes[page.name] = _sha256(page)
            pages.save()
        if progress is not None:
            progress(offset + expected, pages.total)


def _read_page(page: Path, where: str) -> tuple[list[str], int]:
    """Read the header of a page and count its rows; refuse a row of another width."""
    try:
        with page.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            header = next(reader, [])
            if any("\n" in name for name in header):
                raise InputError.of(where, "a header over two lines", "one header line")
            num_rows = 0
            for row in reader:
                if len(row) != len(header):
                    found = f"{len(row)} cells on line {reader.line_num}"
                    raise InputError.of(where, found, f"{len(header)}", "run again")
                num_rows += 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError.of(where, f"no CSV ({error})", "CSV in UTF-8", "run again") from error
    return header, num_rows


def _header_changed(first: list[str], now: list[str], where: str) -> InputError:
    lost = [name for name in first if name not in now]
    new = [name for name in now if name not in first]
    parts = [
        f"{words} {', '.join(names[:_MAX_COLUMNS_SHOWN])}"
        for words, names in (("without", lost), ("with new", new))
        if names
    ]
    found = f"another header ({'; '.join(parts) or 'another order'})"
    do = "the portal changed its columns under way: run again from the start"
    return InputError.of(where, found, "the columns of page 1", do)


def _joined(pages: _Pages, target: Path) -> Path:
    """Write the pages as one CSV with one header."""
    whole = target.with_name(f".{target.name}.whole")
    with whole.open("wb") as out:
        for offset in sorted(pages.hashes):
            with (pages.folder / offset).open("rb") as page:
                header = page.readline()
                if out.tell() == 0:
                    out.write(header)
                last = b"\n"
                while chunk := page.read(_CHUNK):
                    out.write(chunk)
                    last = chunk[-1:]
                if last != b"\n":
                    out.write(b"\n")
    return whole


def _described(
    source: Source, since: dt.date | None, max_rows: int | None
) -> dict[str, str | int | None]:
    recipe = source.recipe
    return {
        "recipe": recipe.name,
        "title": recipe.title,
        "address": source.address,
        "query": urllib.parse.urlencode(source.query),
        "page": source.page,
        "since": None if since is None else since.isoformat(),
        "max_rows": max_rows,
        "licence": recipe.licence,
        "about": recipe.about,
        "preset": recipe.preset,
        "fetched_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }


def _pages_folder(target: Path) -> Path:
    return target.with_name(f".{target.name}.pages")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write_json(file: Path, tree: Mapping[str, object]) -> None:
    part = file.with_name(file.name + ".part")
    part.write_text(json.dumps(tree, ensure_ascii=False, indent=1) + "\n", "utf-8")
    part.replace(file)
