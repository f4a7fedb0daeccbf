"""The reference of the API, from the description that the server itself gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chainbeasts.backend.api.app import routed
from scripts.lib.site.markdown import cell, table

HEAD = """# API

Every route and every field, made from the description that a server gives at `/openapi.json`.
[The API](../guides/api.md) says what they mean together, and how to stream.

"""

Schema = Mapping[str, Any]


def page() -> str:
    """The page's text."""
    description = routed().openapi()
    parts = [HEAD, "## Routes\n"]
    for path, verbs in description["paths"].items():
        if "get" in verbs:
            parts.append(f"### GET {path}\n\n{_route(verbs['get'])}")
    parts.append("## Schemas\n")
    for name, schema in sorted(description["components"]["schemas"].items()):
        parts.append(f"### {name}\n\n{_schema(schema)}")
    return "\n".join(parts)


def _route(route: Schema) -> str:
    text = _text(route.get("description") or route.get("summary") or "")
    rows = [
        (f"`{one['name']}`", one["in"], _kind(one["schema"]), cell(_told(one)))
        for one in route.get("parameters", ())
    ]
    answers = "".join(
        f"- `{status}`: {cell(answer.get('description', ''))}{_content(answer)}\n"
        for status, answer in sorted(route["responses"].items())
    )
    return f"{text}{table(('parameter', 'in', 'type', ''), rows)}\n{answers}\n"


def _told(parameter: Schema) -> str:
    return str(parameter.get("description") or parameter["schema"].get("description") or "")


def _content(answer: Schema) -> str:
    kinds = []
    for media, content in answer.get("content", {}).items():
        schema = content.get("schema", {})
        kinds.append(_kind(schema) if media == "application/json" and schema else f"`{media}`")
    return f" ({', '.join(kinds)})" if kinds else ""


def _schema(schema: Schema) -> str:
    if "enum" in schema:
        return _text(schema.get("description", "")) + f"{_kind(schema)}\n"
    rows = [
        (f"`{name}`", _kind(field), cell(str(field.get("description", ""))))
        for name, field in schema.get("properties", {}).items()
    ]
    return _text(schema.get("description", "")) + table(("field", "type", ""), rows)


def _text(text: str) -> str:
    return f"{' '.join(text.split())}\n\n" if text else ""


def _kind(schema: Schema) -> str:
    """A type in a few words, with a link where it is a schema of its own."""
    return " or ".join(dict.fromkeys(_kinds(schema)))


def _kinds(schema: Schema) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield f"[{name}](#{name.lower()})"
    elif "anyOf" in schema or "oneOf" in schema:
        for one in schema.get("anyOf") or schema["oneOf"]:
            yield from _kinds(one)
    elif "const" in schema:
        yield f"`{schema['const']}`"
    elif "enum" in schema:
        yield " or ".join(f"`{one}`" for one in schema["enum"])
    elif schema.get("type") == "array":
        yield f"list of {_kind(schema.get('items', {})) or 'values'}"
    else:
        yield str(schema.get("type", "value"))
