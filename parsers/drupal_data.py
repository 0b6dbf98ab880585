"""Reads a record from a node in a Drupal data format: `?_format=json`, HAL, JSON:API, XML, and a feed that contains the node.

Each format is first turned into one `_Entity`, in which every field has a list of items as Drupal's field types define them
(`value`, `end_value`, `processed`, `target_id`, `uri`, ...). A document counts as a record only if it is a node of the record's
type, or has fields that only records have; all other JSON and XML is left to `kinds`.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import orjson
from selectolax.lexbor import LexborHTMLParser

from parsers.columns import BODY, make_record
from parsers.decode import Decoded, limit_markup
from parsers.html import MIN_EVIDENCE, read_html
from parsers.record import FieldState, Kind, PageHead, ParseResult, Value
from parsers.registry import GROUPS, WORDS, Type, group_of_paragraph, group_table, is_distinctive, is_instructions, label_named
from parsers.rows import MAX_FIELDS, RowWriter
from parsers.scalars import iso_time, reference, yes_no
from parsers.tree import build, readable
from parsers.urls import absolute, node_id

Items = list[dict[str, Any]]
_FIELD = re.compile(rf"field_\w+|{BODY}")
"""Machine names of the fields that a site builder adds; all others are a node's base fields."""
_RECORD_TYPE, _RELATION, _ISO, _HTML = map(re.compile, WORDS["data_patterns"].values())
_PATHS = {"taxonomy_term": "/taxonomy/term/", "node": "/node/", "user": "/user/", "media": "/media/"}
_NAMES = ("display_name", "name", "title", "label", "filename")
"""Base fields that contain the label of a referenced entity; which one depends on its type."""


@dataclass(slots=True)
class _Entity:
    """A node, or an entity that another one refers to. `kind`: its type and bundle, as `node--tta`."""

    kind: str = ""
    values: dict[str, Items] = field(default_factory=dict)

    def first(self, *names: str) -> Any:
        """Returns the first value of the first of these fields that has one."""
        items = (item for name in names for item in self.values.get(name, ()))
        return next((item["value"] for item in items if item.get("value") not in (None, "")), None)


def read_data(content: bytes, *, url: str | None) -> ParseResult | None:
    """Returns the record in a document of one of these formats; None for any other document, or if it is not a node's."""
    content = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    node = None
    with suppress(orjson.JSONDecodeError, ET.ParseError, ValueError, LookupError):
        if content.startswith(b"{"):
            document = orjson.loads(content)
            node = _from_jsonapi(document) if isinstance(document.get("data"), dict) else _from_core(document)
        elif content.startswith((b"<?xml", b"<response", b"<rss", b"<feed")) and b"<!ENTITY" not in content:
            root = ET.fromstring(content)  # noqa: S314 - a document with entities is not read
            for element in root.iter():
                element.tag = element.tag.rpartition("}")[2]  # without its namespace
            if root.tag in ("rss", "feed"):
                return _from_feed(root, url)
            values: dict[str, Items] = {}  # an element per item, named for the field, with an element per property
            for element in root if root.tag == "response" else ():
                item = {part.tag: (part.text or "").strip() for part in element}
                values.setdefault(element.tag, []).extend([item] if item else _as_items((element.text or "").strip() or None))
            node = _from_core(values)
    return _parse_node(node, url) if node is not None else None


def _as_dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_items(value: Any) -> Items:
    """Returns the items of a field, each as a dictionary; anything else becomes the `value` of one."""
    several = value if isinstance(value, list) else [value]
    return [one if isinstance(one, dict) else {"value": one} for one in several if one is not None]


def _from_core(document: Mapping[str, Any]) -> _Entity | None:
    """Reads core's JSON. In HAL, references are links, whose entities are embedded with little more than an id."""
    if not isinstance(document.get("nid"), list):
        return None
    node = _Entity(values={name: _as_items(value) for name, value in document.items() if not name.startswith("_")})
    for name, targets in _as_dict(document.get("_links")).items():
        if found := _RELATION.fullmatch(name):
            node.values[found[1]] = [{"url": one.get("href")} for one in _as_items(targets)]
        elif name == "type":
            node.kind = "node--" + str(_as_dict(targets).get("href")).rpartition("/")[2]
    for item in node.values.get("type", ())[:1]:
        node.kind = f"node--{item.get('target_id')}"
    return node


def _from_jsonapi(document: Mapping[str, Any]) -> _Entity | None:
    """Returns the document's node. Each included resource becomes one entity, because references may be circular."""
    resources = _as_items(document.get("data")) + _as_items(document.get("included"))
    entities = [_Entity(str(one.get("type"))) for one in resources]
    included = {(entity.kind, str(one.get("id"))): entity for one, entity in zip(resources, entities, strict=True)}
    for one, entity in zip(resources, entities, strict=True):
        for name, value in _as_dict(one.get("attributes")).items():
            entity.values[name.removeprefix("drupal_internal__")] = _as_items(value)
        for name, related in _as_dict(one.get("relationships")).items():
            items = entity.values[name] = []
            for link in _as_items(_as_dict(related).get("data")):
                meta, kind = _as_dict(link.get("meta")), str(link.get("type"))
                item = meta | {"target_type": kind.partition("--")[0], "target_id": meta.get("drupal_internal__target_id")}
                leads_to = included.get((kind, str(link.get("id"))))
                items.append(item | {"entity": leads_to} if leads_to else item)
    return entities[0] if entities[0].kind.startswith("node--") else None


def _from_feed(root: ET.Element, url: str | None) -> ParseResult | None:
    """Reads the only item of a feed (RSS or Atom), which contains a node as HTML. A feed of several nodes is no record's page."""
    item, *others = [*root.iter("item"), *root.iter("entry")] or [root]

    def text_of(*names: str) -> str | None:
        return next((text for name in names if (text := item.findtext(name))), None)

    link = text_of("link") or next((one.get("href") for one in item.iter("link")), None)
    number = node_id(link)
    if others or number is None or node_id(url) not in (None, number):
        return None
    title, text = text_of("title") or "", text_of("encoded", "description", "content", "summary") or ""
    page = f'<h1>{escape(title)}</h1><article data-history-node-id="{number}"><div>{text}</div></article>'
    found = read_html(Decoded(page), url=link, incomplete=True).page
    if found.record is None:
        return None
    author, created = text_of("creator", "author/name"), iso_time(text_of("pubDate", "published"))
    head = PageHead(node_id=number, title=title or None, submitted_by=author, submitted_at=created)
    record = make_record(head, found.record.fields, found.record.sections, found.record.form, incomplete=True, url=link)
    return ParseResult(kind=Kind.RECORD, reason="a feed of one TTA record", record=record)


def _parse_node(node: _Entity, url: str | None) -> ParseResult | None:
    names = [name for name in node.values if _FIELD.fullmatch(name)]
    title, kind = _as_text(node.first("title")), node.kind.removeprefix("node--")
    evidence = sum(is_distinctive(entry.text) for entry in map(label_named, names) if entry)
    if not _RECORD_TYPE.fullmatch(kind) and evidence < (1 if reference(title) else MIN_EVIDENCE):
        return ParseResult(kind=Kind.OTHER, reason=f"a Drupal node of the type {kind[:60]!r}") if kind else None
    number = node_id(f"/node/{node.first('nid')}") or node_id(url)
    own = absolute(f"/node/{number}", url) if url and number else None
    authors = (item.get("entity") for item in node.values.get("uid", ()))
    author = next((_as_text(one.first(*_NAMES)) for one in authors if isinstance(one, _Entity)), "")
    created = str(node.first("created") or "")
    if re.fullmatch(r"\d{1,10}", created):  # seconds since 1970, before Drupal 8.4
        created = datetime.fromtimestamp(int(created), UTC).isoformat()
    head = PageHead(node_id=number, title=title or None, submitted_by=author or None, submitted_at=iso_time(created))
    writer = _Writer(url)
    for name in sorted(names, key=lambda name: name != BODY):
        writer.write(name, node.values[name])
    record = make_record(head, writer.rows.fields, writer.rows.sections, "data", url=own)
    return ParseResult(kind=Kind.RECORD, reason="a TTA record in one of Drupal's data formats", record=record)


class _Writer(RowWriter):
    """Writes rows in the document's order, the body first. That is not the order of the page, so no field is in a section."""

    def write(self, name: str, items: Items) -> None:
        """Writes a field of the node: a group if its items are entities with fields of their own."""
        entry = label_named(name)
        label = entry.text if entry else None
        if is_instructions(name):
            if text := "\n\n".join(filter(None, (self._as_value(item).text for item in items))):
                self.open_section(label or name, text)
                self.section = None
            return
        entities = [item["entity"] for item in items if isinstance(item.get("entity"), _Entity)]
        nested = [one for one in entities if any(map(_FIELD.fullmatch, one.values)) and not one.first(*_NAMES)]
        if nested:
            table = group_table(name) or group_of_paragraph(nested[0].kind.partition("--")[2])
            for entity in nested[:MAX_FIELDS]:
                number = self.next_item(label or (GROUPS[table].item if table else name))
                for part in filter(_FIELD.fullmatch, entity.values):
                    self._add(None, part, entity.values[part], number)
            return
        if entry and entry.type is Type.YES_NO:  # XML prints 1 and 0
            items = [one if (answer := yes_no(str(one.get("value")))) is None else {"value": answer} for one in items]
        self._add(label, name, items, None)

    def _add(self, label: str | None, name: str, items: Items, item: str | None) -> None:
        self.missing = FieldState.NOT_CAPTURED if items else FieldState.EMPTY
        for value in list(filter(any, map(self._as_value, items[:MAX_FIELDS]))) or [Value()]:
            self.add(label, name, value, item=item)

    def _as_value(self, item: Mapping[str, Any]) -> Value:
        start = item.get("value")
        if "target_id" in item or "url" in item:  # a reference without its target's label has only an address
            target, kind, entity, url = (item.get(name) for name in ("target_id", "target_type", "entity", "url"))
            text = _as_text(item.get("description")) or _as_text(item.get("alt"))
            if isinstance(entity, _Entity):
                text = text or _as_text(entity.first(*_NAMES))
                target = target or entity.first("tid", "nid", "uid", "mid")
                url = url or next((one.get("url") for one in entity.values.get("uri", ())), None)
            path = str(url or (f"{_PATHS[str(kind)]}{target}" if str(kind) in _PATHS and target else ""))
            text = text or (unquote(urlsplit(path).path.rpartition("/")[2]) if kind == "file" else "")
            return Value(text, absolute(re.sub(r"[?&]_format=\w+", "", path), self._base) if path else None)
        if "uri" in item:
            uri = re.sub(r"^(?:internal|entity|base):/?", "/", str(item["uri"]))
            return Value(_as_text(item.get("title")) or str(item["uri"]), absolute(uri, self._base))
        if isinstance(start, str) and _ISO.fullmatch(start):
            stored = [one for one in (start, item.get("end_value")) if isinstance(one, str) and one]
            # A time without a zone is in UTC.
            times = dict.fromkeys(one if re.search(r"^.{10}$|(?:Z|[+-]\d\d:?\d\d)$", one) else f"{one}Z" for one in stored)
            return Value(" - ".join(times), None, "/".join(times))
        if item.get("processed") or item.get("format") or (isinstance(start, str) and _HTML.match(start)):
            body = LexborHTMLParser(limit_markup(str(item.get("processed") or start or ""))).body
            return Value(readable([build(body)]) if body is not None else "")
        parts = [start] if "value" in item else [value for name, value in item.items() if name != "langcode"]
        return Value(", ".join(filter(None, map(_as_text, parts))))


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value).replace("\r\n", "\n").strip() if isinstance(value, str | int | float) else ""
