"""Validation against the OGC schema, where the ``[check]`` extra is installed."""

from __future__ import annotations

import zipfile
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from futuremap.errors import ExportError

SCHEMAS = ("ogckml22.xsd", "kml22gx.xsd")


def schema_errors(path: Path) -> list[str]:
    """What a KMZ or KML file has that KML 2.2 and Google's extension do not allow.

    Raises
    ------
    ExportError
        If lxml or fastkml, which carries the schemas, is not installed.
    """
    schema = _schema()
    from lxml import etree  # noqa: PLC0415 - optional

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        tree = etree.fromstring(_document(path), parser)
    except etree.XMLSyntaxError as error:
        return [str(error)]
    if schema.validate(tree):
        return []
    return [f"line {entry.line}: {entry.message}" for entry in schema.error_log]


def _document(path: Path) -> bytes:
    if path.suffix == ".kml":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(archive.namelist()[0])


@cache
def _schema() -> Any:
    try:
        import fastkml  # noqa: F401, PLC0415 - optional
        from lxml import etree  # noqa: PLC0415 - optional
    except ImportError as error:
        raise ExportError('schemas need: pip install "futuremap[check]"') from error
    # one schema document that imports both, each beside the ones it imports itself
    with as_file(files("fastkml") / "schema") as folder:
        imports = "".join(
            f'<import namespace="{space}" schemaLocation="{(folder / name).as_uri()}"/>'
            for space, name in zip(
                ("http://www.opengis.net/kml/2.2", "http://www.google.com/kml/ext/2.2"),
                SCHEMAS,
                strict=True,
            )
        )
        both = f'<schema xmlns="http://www.w3.org/2001/XMLSchema">{imports}</schema>'
        return etree.XMLSchema(etree.fromstring(both))
