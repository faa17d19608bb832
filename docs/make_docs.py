"""Write the generated files: scenario reference, columns of every table, notebooks, a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext

from deploy_opt.scenario import scenario_schema
from deploy_opt.start import sample_scenario_text
from deploy_opt.tables import columns_page

ROOT = Path(__file__).parents[1]


def _kind(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return f"section {field['$ref'].split('/')[-1]}"
    for many in ("anyOf", "allOf", "oneOf"):
        if many in field:
            return " or ".join(dict.fromkeys(_kind(part) for part in field[many]))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        items = field.get("items") or (field.get("prefixItems") or [{}])[0]
        return f"list of {_kind(items)}"
    if field.get("type") == "object":
        values = field.get("additionalProperties")
        return f"{_kind(values)} by name" if isinstance(values, dict) else "section"
    return {"string": "text", "null": "nothing"}.get(
        field.get("type", ""), field.get("type", "any")
    )


def _limits(field: dict[str, Any]) -> str:
    words = {
        "minimum": ">=",
        "exclusiveMinimum": ">",
        "maximum": "<=",
        "exclusiveMaximum": "<",
        "multipleOf": "multiple of",
    }
    places = [field, *field.get("anyOf", [])]
    return ", ".join(
        f"{say} {place[key]:g}" for place in places for key, say in words.items() if key in place
    )


def _rows(section: dict[str, Any]) -> list[str]:
    needed = set(section.get("required", ()))
    rows = ["| key | value | limits | default | meaning |", "|---|---|---|---|---|"]
    for key, field in section.get("properties", {}).items():
        default = "needed" if key in needed else f"`{field.get('default', '')}`".replace("``", "")
        meaning = " ".join(field.get("description", "").split())
        rows.append(f"| `{key}` | {_kind(field)} | {_limits(field)} | {default} | {meaning} |")
    return rows


def scenario_page() -> str:
    """Write the reference of every scenario key, Markdown."""
    schema = scenario_schema()
    parts = ["# Scenario reference", "", "Generated from the schema (`deploy-opt schema`).", ""]
    parts += [f"## {schema['title']}", "", schema.get("description", ""), "", *_rows(schema), ""]
    for name, section in sorted(schema["$defs"].items()):
        parts += [f"## Section {name}", "", section.get("description", ""), "", *_rows(section), ""]
    return "\n".join(parts)


def sample_scenario() -> str:
    """Write the scenario of the shipped sample city, as `deploy-opt init` writes it elsewhere."""
    police = sorted(p.name for p in (ROOT / "data" / "sample_city").glob("incidents_police*"))
    return sample_scenario_text("../data/sample_city", police)


def notebook(name: str) -> str:
    """Turn a percent script into a notebook without outputs, with steady cell ids."""
    made = jupytext.read(ROOT / "notebooks" / f"{name}.py")
    for position, cell in enumerate(made.cells):
        cell["id"] = f"cell-{position:02d}"
    made.metadata.pop("jupytext", None)
    text: str = jupytext.writes(made, fmt="ipynb")
    return text


PAGES = {
    "docs/scenario_reference.md": scenario_page,
    "docs/columns.md": columns_page,
    "notebooks/quickstart.ipynb": lambda: notebook("quickstart"),
    "scenarios/sample_city.yaml": sample_scenario,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / name).write_text(page().rstrip() + "\n", encoding="utf-8")
        print(name)
