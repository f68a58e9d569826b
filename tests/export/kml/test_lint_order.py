"""The linter's order of elements against the schema that the fastkml wheel carries."""

from importlib.resources import files

import pytest
from lxml import etree

from futuremap.export.kml.lint_order import CHILDREN, ranks

XSD = "{http://www.w3.org/2001/XMLSchema}"


class Schema:
    """Elements and types of ogckml22.xsd, as far as order goes."""

    def __init__(self):
        root = etree.parse(files("fastkml") / "schema" / "ogckml22.xsd").getroot()
        self.elements = {e.get("name"): e for e in root.findall(f"{XSD}element")}
        self.types = {e.get("name"): e for e in root.findall(f"{XSD}complexType")}

    def members(self, name):
        """Concrete elements that stand for a group's head."""
        element = self.elements[name]
        found = [] if element.get("abstract") == "true" else [name]
        for other, entry in self.elements.items():
            if plain(entry.get("substitutionGroup", "")) == name:
                found += self.members(other)
        return found

    def order(self, name):
        """Names of the children of an element, those of one place together."""
        return self._of_type(plain(self.elements[name].get("type")))

    def _of_type(self, name):
        kind = self.types[name]
        extension = kind.find(f"./{XSD}complexContent/{XSD}extension")
        base = [] if extension is None else self._of_type(plain(extension.get("base")))
        content = (kind if extension is None else extension).find(f"{XSD}sequence")
        return base + ([] if content is None else list(self._places(content)))

    def _places(self, content):
        for part in content:
            if part.tag == f"{XSD}choice":
                yield [n for place in self._places(part) for n in place]
            elif part.tag == f"{XSD}sequence":
                yield from self._places(part)
            elif part.tag == f"{XSD}element":
                name = plain(part.get("ref") or part.get("name"))
                if part.get("ref", "kml:").startswith("kml:"):
                    yield self.members(name) if name in self.elements else [name]


def plain(name):
    return name.rpartition(":")[2]


@pytest.fixture(scope="module")
def schema():
    return Schema()


def places(found):
    ranked = {}
    for rank, names in enumerate(filter(None, found)):
        for name in names:
            ranked.setdefault(name, rank)
    return ranked


@pytest.mark.parametrize("parent", sorted(CHILDREN))
def test_the_order_is_that_of_the_schema(schema, parent):
    wanted = places(schema.order(parent))
    ours = ranks(CHILDREN[parent])
    assert set(ours) == set(wanted)
    by_schema = sorted(ours, key=lambda name: (wanted[name], ours[name]))
    assert [ours[name] for name in by_schema] == sorted(ours.values())
    for one in ours:
        for other in ours:
            assert (ours[one] == ours[other]) == (wanted[one] == wanted[other]), (one, other)
