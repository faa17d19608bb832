"""The vendored scripts, styles and font of a page, each checked against its hash."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from deploy_opt.errors import InputError

FOLDER = Path(__file__).parent / "assets"
TEMPLATES = Path(__file__).parent / "templates"
_LIST = "assets.toml"
_MEDIA_TYPES = {".png": "image/png", ".woff2": "font/woff2"}


@cache
def asset_list(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Read the list of the vendored files: version, package, licence, SHA-256 and cuts."""
    return tomllib.loads((folder / _LIST).read_text(encoding="utf-8"))


def asset_bytes(name: str, folder: Path = FOLDER) -> bytes:
    """Read a vendored file.

    Parameters
    ----------
    name
        Its file name, as in assets.toml.
    folder
        Where the files lie.

    Returns
    -------
    bytes
        Its bytes, as the source package has them.

    Raises
    ------
    InputError
        When the file is not listed or its hash is another.
    """
    row = asset_list(folder).get(name)
    if row is None:
        raise InputError.of(name, "an asset that is not listed", f"a file of {_LIST}")
    content = (folder / name).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != row["sha256"]:
        do = "install the package again: this file was changed"
        raise InputError.of(name, f"SHA-256 {found}", row["sha256"], do)
    return content


def asset_text(name: str, folder: Path = FOLDER) -> str:
    """Read a vendored text file without the parts that a page must not hold (`cut`)."""
    text = asset_bytes(name, folder).decode("utf-8").replace("\r\n", "\n")
    for part in asset_list(folder)[name].get("cut", ()):
        text = text.replace(part, "")
    return text


def data_uri(name: str, folder: Path = FOLDER) -> str:
    """Write a vendored picture or font as a data URI."""
    coded = base64.b64encode(asset_bytes(name, folder)).decode("ascii")
    return f"data:{_MEDIA_TYPES[Path(name).suffix]};base64,{coded}"


@cache
def page_styles(*more: str) -> str:
    """Gather the styles of a page: font, Leaflet's and ours; nothing in them is fetched.

    Parameters
    ----------
    *more
        Further files in the templates folder.
    """
    leaflet = asset_text("leaflet.css")
    for picture in ("layers.png", "layers-2x.png"):
        leaflet = leaflet.replace(f"url(images/{picture})", f"url({data_uri(picture)})")
    ours = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", *more))
    return font_face() + leaflet + "".join(ours)


@cache
def font_face() -> str:
    """Write the style that holds the font of every page."""
    font = data_uri("public-sans-latin-wght-normal.woff2")
    return (
        "@font-face{font-family:'Public Sans';font-style:normal;font-weight:100 900;"
        f"font-display:block;src:url({font}) format('woff2')}}\n"
    )


@cache
def page_scripts(*more: str) -> tuple[str, ...]:
    """Give the scripts that stand in the head of a page: Leaflet, ours, and further ones of ours.

    Parameters
    ----------
    *more
        Files in the templates folder.
    """
    ours = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("deploy_map.js", *more))
    return asset_text("leaflet.js"), *ours
