"""Maps in one file that opens without a network: folium with its traps designed out.

The only door to folium and branca. Four habits of theirs do not suit a page that is mailed to a
commander, and the classes here differ in them:

* branca compiles the output of an element a second time as a template, so that an area named
  ``{{ 7*7 }}`` would run: a `Part` places its text as it is (`Plain`);
* element ids are random: `Page` numbers them in the order of the tree, so two runs give the same
  bytes;
* folium loads ten files from the network: `OfflineMap` empties its own lists and `Assets` places
  Leaflet and our files, checked by hash, into the head;
* the page forbids zooming, names no language and sets no policy: `Page` has its own template, and
  its Content-Security-Policy lets nothing run that it does not hold itself.
"""

# ruff: noqa: SLF001  (branca keeps the tree of a page in _children and _id)
from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import folium
from branca.element import Element, Figure
from folium.map import Layer
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from deploy_opt.report.payload import safe_json
from deploy_opt.report.vendored import TEMPLATES, page_scripts, page_styles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SVG_AREAS = 3000
Kind = Literal["land", "water", "areas", "lines", "posts"]

_WITHOUT_SCRIPTS = (
    "<noscript><style>noscript{display:contents}"
    ".chart,.views,.play,.time,.mini{display:none!important}"
    "@media screen and (min-width:761px){.still svg{margin-bottom:118px}}</style></noscript>"
)
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class Plain(Element):
    """Text that is placed as it is, never compiled as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Plain"
        self.text = text

    def render(self, **_kwargs: object) -> str:
        """Give the text."""
        return self.text


class Part(Element):
    """A piece of a page: what it gives is placed literally into head, body and script."""

    def __init__(self) -> None:
        super().__init__()
        self._name = "Part"

    def header(self) -> str:
        """Give the text for the head of the page."""
        return ""

    def html(self) -> str:
        """Give the text for the body."""
        return ""

    def script(self) -> str:
        """Give the text for the script at the end."""
        return ""

    def render(self, **kwargs: object) -> None:
        """Place the texts into the page, then the children's."""
        page = self.get_root()
        for place, text in (
            (page.header, self.header()),
            (page.html, self.html()),
            (page.script, self.script()),
        ):
            if text:
                place.add_child(Plain(text), name=self.get_name())
        for child in self._children.values():
            child.render(**kwargs)


class Page(Figure):
    """A page with a language, a landmark and a policy that lets nothing in.

    Parameters
    ----------
    title
        Title of the page; user text, escaped.
    layout
        Class of the body, which the styles go by.
    """

    _template = Template(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="{{ policy }}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        "<title>{{ title|e }}</title>\n{{ header }}\n</head>\n"
        '<body class="{{ layout }}">\n<main>\n{{ html }}\n</main>\n'
        "<script>{{ script }}</script>\n</body>\n</html>\n"
    )

    def __init__(self, title: str, *, layout: str = "board") -> None:
        super().__init__(title=title)
        self._name = "Page"
        self.layout = layout
        self.header._children.clear()

    def _elements(self) -> Iterator[Element]:
        """Walk the tree in order."""
        stack: list[Element] = [self]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(reversed(element._children.values()))

    def number_elements(self) -> None:
        """Give every element of the tree an id that follows from its place alone."""
        for number, element in enumerate(self._elements()):
            element._id = f"{number:04d}"

    def render(self, **kwargs: object) -> str:
        """Write the page; the same tree gives the same text."""
        self.number_elements()
        for child in list(self._children.values()):
            child.render(**kwargs)
        header, html, script = (
            "\n".join(child.render() for child in place._children.values())
            for place in (self.header, self.html, self.script)
        )
        script = f"\n{script}\n"
        runs = [*_SCRIPT.findall(header), script]
        return str(
            self._template.render(
                policy=content_policy(runs),
                title=self.title,
                layout=self.layout,
                header=header,
                html=html,
                script=script,
            )
        )


def content_policy(scripts: Sequence[str]) -> str:
    """Write the policy of a page: its own scripts by hash, inline styles, data URIs, nothing else.

    Parameters
    ----------
    scripts
        Text of every script that may run.
    """
    hashes = [
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        for text in scripts
    ]
    return (
        f"default-src 'none'; script-src {' '.join(hashes)}; style-src 'unsafe-inline'; "
        "img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
    )


class OfflineMap(folium.Map):
    """A folium map that loads nothing.

    Parameters
    ----------
    bounds
        South-west and north-east corner, (latitude, longitude) each.
    num_areas
        Number of areas: SVG up to 3,000, canvas above.
    label
        Accessible name of the map; user text, escaped.
    attribution
        Credit line of the map's data; user text, escaped.
    """

    _template = Template("")
    default_js: list[tuple[str, str]] = []  # noqa: RUF012  (ours, so that folium's stay as they are)
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    def __init__(
        self,
        bounds: tuple[tuple[float, float], tuple[float, float]],
        *,
        num_areas: int,
        label: str,
        attribution: str,
    ) -> None:
        middle = [(low + high) / 2 for low, high in zip(*bounds, strict=True)]
        super().__init__(location=middle, tiles=None, prefer_canvas=num_areas > SVG_AREAS)
        self._parent = None
        self.bounds = bounds
        self.label = label
        self.attribution = attribution

    def render(self, **kwargs: object) -> None:
        """Place the map's own element and script, then its layers."""
        page, name = self.get_root(), self.get_name()
        options = {
            "bounds": self.bounds,
            "canvas": self.options["prefer_canvas"],
            "attribution": self.attribution,
        }
        html = env().get_template("map.html").render(name=name, label=self.label)
        page.html.add_child(Plain(html), name=name)
        script = f"var {name} = DeployMap.map({safe_json(name)}, {safe_json(options)});"
        page.script.add_child(Plain(script), name=name)
        for child in self._children.values():
            child.render(**kwargs)


class Assets(Part):
    """Leaflet and our styles, script and font, in the head.

    Parameters
    ----------
    scripts, styles
        Further files of the templates folder, after those of every page with a map.
    """

    def __init__(self, *, scripts: Sequence[str] = (), styles: Sequence[str] = ()) -> None:
        super().__init__()
        self.scripts = scripts
        self.styles = styles

    def header(self) -> str:
        """Give the styles and the scripts."""
        texts = page_scripts(*self.scripts)
        scripts = "\n".join(f"<script>{text}</script>" for text in texts)
        return f"<style>{page_styles(*self.styles)}</style>\n{_WITHOUT_SCRIPTS}\n{scripts}"


class DataLayer(Part, Layer):
    """A layer of the map, seen by folium's layer control.

    Parameters
    ----------
    kind
        What it draws.
    name
        Its name in the layer control; never user text, for that goes through folium.
    payload
        Plain values; user text in it is only ever shown as text.
    """

    def __init__(self, kind: Kind, name: str, payload: Mapping[str, Any]) -> None:
        Layer.__init__(self, name=name, overlay=True, control=True, show=True)
        self._name = "Data"
        self.kind = kind
        self.payload = payload

    def script(self) -> str:
        """Give the layer's data and put it on the map."""
        given = f"{safe_json(self.kind)}, {safe_json(self.payload)}"
        return f"var {self.get_name()} = DeployMap.layer({self._parent.get_name()}, {given});"


class Html(Part):
    """One template with its values; every value is escaped.

    Parameters
    ----------
    template
        File in the templates folder.
    values
        What the template shows.
    """

    def __init__(self, template: str, values: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = "Html"
        self.template = template
        self.values = values

    def html(self) -> str:
        """Give the filled template."""
        return env().get_template(self.template).render(**self.values)


class Start(Part):
    """Ties the layers to the slider, the tables and the legend, once all of them are there.

    Parameters
    ----------
    settings
        Plain values for the page's script.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = "Start"
        self.settings = settings

    def script(self) -> str:
        """Give the last line of the page's script."""
        return f"DeployMap.start({safe_json(self.settings)});"


@cache
def env() -> Environment:
    """Make the template environment: escaping on, a missing value is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def layer_control() -> folium.LayerControl:
    """Make folium's layer control, as it stands on our maps."""
    return folium.LayerControl(position="topright", collapsed=True)
