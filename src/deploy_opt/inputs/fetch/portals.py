"""Ask Socrata and ArcGIS portals for row counts and pages."""

from __future__ import annotations

import csv
import datetime as dt
import json
import urllib.parse
from typing import TYPE_CHECKING, Any, Protocol

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from deploy_opt.inputs.fetch.download_recipes import Source

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Portal(Protocol):
    """The questions of one kind of portal."""

    def count_url(self, source: Source) -> str:
        """Make the URL that asks for the number of rows."""

    def count(self, answer: Path, where: str) -> int:
        """Read the number of rows."""

    def page_url(self, source: Source, *, offset: int, rows: int) -> str:
        """Make the URL of one page."""

    def to_csv(self, answer: Path, where: str) -> None:
        """Turn the answer of a page into CSV, in place."""


class Socrata:
    """SODA 2 of Socrata portals: CSV pages in the stable order of the row id.

    References
    ----------
    dev.socrata.com/docs/paging: without ``$order`` the order of rows is not fixed.
    """

    def count_url(self, source: Source) -> str:
        """Make the URL that asks for the number of rows."""
        return _url(f"{source.address}.json", {"$select": "count(*) as num_rows", **source.query})

    def count(self, answer: Path, where: str) -> int:
        """Read the number of rows."""
        tree = _json(answer, where)
        try:
            return int(tree[0]["num_rows"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise _no_count(tree, where) from error

    def page_url(self, source: Source, *, offset: int, rows: int) -> str:
        """Make the URL of one page."""
        paging = {"$order": ":id", "$limit": str(rows), "$offset": str(offset)}
        return _url(f"{source.address}.csv", source.query | paging)

    def to_csv(self, answer: Path, where: str) -> None:
        """Leave the page as it is: it is CSV."""


class ArcGis:
    """Layers of ArcGIS feature services: JSON pages in the order of the object id.

    Dates come as milliseconds since 1970 and are written as UTC times.

    References
    ----------
    ArcGIS REST API, Query (Feature Service/Layer).
    """

    def count_url(self, source: Source) -> str:
        """Make the URL that asks for the number of rows."""
        return _url(
            f"{source.address}/query", {"where": "1=1", "returnCountOnly": "true", "f": "json"}
        )

    def count(self, answer: Path, where: str) -> int:
        """Read the number of rows."""
        tree = _json(answer, where)
        try:
            return int(tree["count"])
        except (KeyError, TypeError, ValueError) as error:
            raise _no_count(tree, where) from error

    def page_url(self, source: Source, *, offset: int, rows: int) -> str:
        """Make the URL of one page; without an order a layer sorts by its object id."""
        asked = {"where": "1=1", "outFields": "*", "returnGeometry": "false", "f": "json"}
        paging = {"resultOffset": str(offset), "resultRecordCount": str(rows)}
        return _url(f"{source.address}/query", asked | paging)

    def to_csv(self, answer: Path, where: str) -> None:
        """Write the features of the JSON answer as CSV, in place."""
        tree = _json(answer, where)
        try:
            kinds = {field["name"]: field["type"] for field in tree["fields"]}
            rows = [feature["attributes"] for feature in tree["features"]]
        except (KeyError, TypeError) as error:
            found = f"{json.dumps(tree)[:120]}"
            raise InputError.of(where, found, "fields and features") from error
        with answer.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(kinds)
            writer.writerows([_cell(row.get(n), kind) for n, kind in kinds.items()] for row in rows)


PORTALS: dict[str, Portal] = {"socrata": Socrata(), "arcgis": ArcGis()}


def _url(address: str, query: dict[str, str]) -> str:
    return f"{address}?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}"


def _json(answer: Path, where: str) -> dict[Any, Any]:
    try:
        tree: dict[Any, Any] = json.loads(answer.read_text("utf-8"))
    except ValueError as error:
        raise InputError.of(where, "an answer that is not JSON", "JSON") from error
    return tree


def _no_count(tree: object, where: str) -> InputError:
    return InputError.of(where, json.dumps(tree)[:120], "a row count from the portal")


def _cell(value: object, kind: str) -> object:
    if kind == "esriFieldTypeDate" and isinstance(value, int | float):
        return f"{_EPOCH + dt.timedelta(milliseconds=value):%Y-%m-%dT%H:%M:%SZ}"
    return "" if value is None else value
