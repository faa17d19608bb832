"""Pages without scripts: one file, nothing fetched, the same bytes every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deploy_opt.report.vendored import TEMPLATES, font_face

if TYPE_CHECKING:
    from collections.abc import Sequence


def render_still(template: str, styles: Sequence[str], **values: object) -> str:
    """Fill a template; every text is escaped, a missing value is an error.

    Parameters
    ----------
    template
        File of the templates folder.
    styles
        Names of its style sheets, without ``.css``, in their order.
    values
        What the template shows, beside ``font`` and ``styles``.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sheets = "".join((TEMPLATES / f"{name}.css").read_text("utf-8") for name in styles)
    return environment.get_template(template).render(font=font_face(), styles=sheets, **values)
