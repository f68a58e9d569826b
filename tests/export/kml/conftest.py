"""Reading back of what was written."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

KML = {"k": "http://www.opengis.net/kml/2.2"}


class Read:
    """A KMZ as a reader of XML sees it."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            self.members = archive.infolist()
            self.text = archive.read("doc.kml").decode("utf-8")
            self.legend = archive.read("files/legend.png")
        self.root = etree.fromstring(self.text.encode("utf-8"))

    def all(self, query: str) -> list[etree._Element]:
        """Elements of an XPath without prefixes: ``//Placemark/name``."""
        steps = [f"k:{s}" if s and s[0].isalpha() else s for s in query.split("/")]
        return self.root.xpath("/".join(steps), namespaces=KML)

    def texts(self, query: str) -> list[str]:
        """Texts of those elements."""
        return [element.text or "" for element in self.all(query)]

    def rings(self, query: str) -> list[list[tuple[float, ...]]]:
        """Corners of every ring below a query."""
        return [
            [tuple(map(float, corner.split(","))) for corner in text.split()]
            for text in self.texts(f"{query}/LinearRing/coordinates")
        ]


@pytest.fixture
def read() -> Callable[[Path], Read]:
    return Read
