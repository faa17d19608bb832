"""Cut an OSM XML extract down to complete ways for cars."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # expat since 2.4.1 refuses entity bombs

from deploy_opt.errors import InputError
from deploy_opt.inputs.road_map.tables import SIREN_KPH

if TYPE_CHECKING:
    from pathlib import Path

DRIVABLE = frozenset({*SIREN_KPH, *(f"{name}_link" for name in SIREN_KPH), "road", "busway"})


def drivable_extract(source: Path, target: Path) -> tuple[str, ...]:
    """Write an OSM XML file with only the ways for cars and the nodes that they use.

    A way that runs through nodes the extract does not hold, as at a clipped edge, becomes the
    pieces between them; nothing is drawn across the gap.

    Parameters
    ----------
    source
        OSM XML, plain or inside a .zip.
    target
        File to write.

    Returns
    -------
    tuple
        What was left out or cut, in words.

    Raises
    ------
    InputError
        When the file is no OSM XML, or holds no way for cars.
    """
    root = _parsed(source)
    known = {node.get("id") for node in root.iter("node")}
    kept = ET.Element("osm", dict(root.attrib))
    ways: list[ET.Element] = []
    used: set[str] = set()
    other_kinds: dict[str, int] = {}
    num_ways = num_cut = 0
    for way in root.iter("way"):
        tags = {tag.get("k"): tag.get("v") for tag in way.iter("tag")}
        kind = tags.get("highway")
        if kind is None:
            continue
        num_ways += 1
        if kind not in DRIVABLE or tags.get("area") == "yes":
            other_kinds[kind] = other_kinds.get(kind, 0) + 1
            continue
        pieces = _pieces([str(nd.get("ref")) for nd in way.iter("nd")], known)
        num_cut += len(pieces) != 1 or len(pieces[0]) != sum(1 for _ in way.iter("nd"))
        for rank, piece in enumerate(pieces):
            used.update(piece)
            ways.append(_way(way, piece, str(way.get("id")) if not rank else f"-{len(ways) + 1}"))
    if not ways:
        found = f"no road for cars in {num_ways:,} ways with a highway tag"
        raise InputError.of(str(source), found, "a road map (OSM XML)")
    kept.extend(node for node in root.iter("node") if node.get("id") in used)
    kept.extend(ways)
    ET.ElementTree(kept).write(target, encoding="utf-8", xml_declaration=True)
    notes = []
    if other_kinds:
        left_out = sum(other_kinds.values())
        words = ", ".join(sorted(other_kinds, key=lambda k: (-other_kinds[k], k))[:6])
        notes.append(f"roads: {left_out:,} of {num_ways:,} ways are not for cars: {words}")
    if num_cut:
        notes.append(f"roads: {num_cut:,} ways were cut where the extract lacks their nodes")
    return tuple(notes)


def _parsed(source: Path) -> ET.Element:
    expected = "a road map (OSM XML)"
    try:
        if not zipfile.is_zipfile(source):
            return ET.parse(source).getroot()  # noqa: S314  (see the import)
        with zipfile.ZipFile(source) as archive:
            inside = [name for name in archive.namelist() if name.endswith((".osm", ".xml"))]
            if len(inside) != 1:
                found = f"{len(inside)} maps inside the .zip"
                raise InputError.of(str(source), found, "one .osm or .xml")
            with archive.open(inside[0]) as stream:
                return ET.parse(stream).getroot()  # noqa: S314  (see the import)
    except ET.ParseError as error:
        raise InputError.of(str(source), f"no XML ({error})", expected) from None
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError.of(str(source), str(error), expected) from None


def _pieces(refs: list[str], known: set[str | None]) -> list[list[str]]:
    """Cut refs into runs of at least two known nodes."""
    pieces: list[list[str]] = [[]]
    for ref in refs:
        if ref in known:
            pieces[-1].append(ref)
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if len(piece) > 1]


def _way(way: ET.Element, refs: list[str], way_id: str) -> ET.Element:
    piece = ET.Element("way", {**way.attrib, "id": way_id})
    for ref in refs:
        ET.SubElement(piece, "nd", {"ref": ref})
    piece.extend(way.iter("tag"))
    return piece
