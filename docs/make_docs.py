"""Write the generated pages: scenario reference from the schema, columns from the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy_opt.scenario import scenario_schema
from deploy_opt.tables import columns_page

HERE = Path(__file__).parent


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


PAGES = {"scenario_reference.md": scenario_page, "columns.md": columns_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page().rstrip() + "\n", encoding="utf-8")
        print(f"docs/{name}")
