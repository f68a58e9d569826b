"""Validation against the OGC schema, where the ``[check]`` extra is installed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from functools import cache, partial
from importlib.resources import as_file, files
from importlib.util import find_spec
from io import FileIO
from pathlib import Path
from typing import IO, Any, NamedTuple

from futuremap.errors import ExportError
from futuremap.export.kml.profiles import EXTENSION

KML = "http://www.opengis.net/kml/2.2"
SCHEMAS = ("ogckml22.xsd", "kml22gx.xsd")
NEEDED = ("lxml", "fastkml")
# read as a stream a document takes no room, but only its first fault is told, without its line;
# small ones are read again as a tree, which tells all
MOST_TREE = 8 * 2**20  # bytes
SPACE = re.compile(r"\{[^}]*\}")


class SchemaFault(NamedTuple):
    """Where a document is not as the schema says.

    Parameters
    ----------
    document
        Its name in the KMZ; empty for a plain KML.
    line
        The line; None where the document is too large to tell, and the fault is the first.
    message
        What the validator says, without namespaces.
    """

    document: str
    line: int | None
    message: str


def has_schemas() -> bool:
    """Whether what validation needs is installed."""
    return all(find_spec(name) is not None for name in NEEDED)


def schema_errors(path: Path) -> list[str]:
    """What a KMZ or KML file has that KML 2.2 and Google's extension do not allow.

    Parameters
    ----------
    path
        The file; ``.kml`` is read as a document, all else as a KMZ.

    Raises
    ------
    ExportError
        If lxml or fastkml, which carries the schemas, is not installed.
    """
    return [f"line {fault.line}: {fault.message}" for fault in schema_faults(path)]


def schema_faults(path: Path) -> list[SchemaFault]:
    """Faults of every document of a file, in order.

    Parameters
    ----------
    path
        As of `schema_errors`.

    Raises
    ------
    ExportError
        If lxml or fastkml is not installed.
    """
    schema = _schema()
    if path.suffix.lower() == ".kml":
        return _faults(schema, partial(FileIO, path), "")
    found: list[SchemaFault] = []
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.lower().endswith(".kml"):
                found += _faults(schema, partial(archive.open, info), info.filename)
    return found


def _faults(schema: Any, open_: Callable[[], IO[bytes]], document: str) -> list[SchemaFault]:
    from lxml import etree  # noqa: PLC0415 - optional

    strict = {"resolve_entities": False, "no_network": True, "huge_tree": True}
    try:
        with open_() as stream:
            for _, element in etree.iterparse(stream, schema=schema, **strict):
                _forget(element)
    except etree.XMLSyntaxError as error:
        first = SchemaFault(document, None, _plain(str(error.msg)))
    else:
        return []
    with open_() as stream:
        body = stream.read(MOST_TREE + 1)
    if len(body) > MOST_TREE:
        return [first]
    try:
        tree = etree.fromstring(body, etree.XMLParser(**strict))
    except etree.XMLSyntaxError as error:
        return [SchemaFault(document, error.lineno or None, _plain(str(error.msg)))]
    schema.validate(tree)
    return [SchemaFault(document, one.line, _plain(one.message)) for one in schema.error_log]


def _forget(element: Any) -> None:
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _plain(message: str) -> str:
    return SPACE.sub("", message)


@cache
def _schema() -> Any:
    if not has_schemas():
        raise ExportError('schemas need: pip install "futuremap[check]"')
    from lxml import etree  # noqa: PLC0415 - optional

    # one schema document that imports both, each beside the ones it imports itself
    with as_file(files("fastkml") / "schema") as folder:
        imports = "".join(
            f'<import namespace="{space}" schemaLocation="{(folder / name).as_uri()}"/>'
            for space, name in zip(
                (KML, EXTENSION),
                SCHEMAS,
                strict=True,
            )
        )
        both = f'<schema xmlns="http://www.w3.org/2001/XMLSchema">{imports}</schema>'
        return etree.XMLSchema(etree.fromstring(both))
