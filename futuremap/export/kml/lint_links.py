"""Network links: only to documents of the same KMZ, read when their region is seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

ON_REGION = "onRegion"
# what makes a client ask again by itself, or tell somebody where one looks
POLLING = frozenset({"refreshMode", "refreshInterval", "httpQuery", "viewFormat"})
PARTS = frozenset({"viewRefreshMode", "Region", "href", *POLLING})


class Links:
    """The network links of one document."""

    def __init__(self) -> None:
        self.targets: set[str] = set()
        self._open = False
        self._seen: dict[str, str] = {}

    def begin(self, _: str) -> None:
        """Meet a network link."""
        self._open = True
        self._seen = {}

    def part(self, tag: str, text: str) -> None:
        """Meet something that may stand in one."""
        if self._open:
            self._seen[tag] = text.strip()

    def end(self, path: str) -> str | None:
        """Leave a network link; what is wrong with it, None if nothing is.

        Parameters
        ----------
        path
            The document it leads to, as a path in the KMZ; empty if it is none of its files.
        """
        self._open = False
        if path:
            self.targets.add(path)
        if polling := sorted(POLLING & self._seen.keys()):
            return f"{polling[0]} {self._seen[polling[0]]}"
        mode = self._seen.get("viewRefreshMode", "")
        if mode != ON_REGION or "Region" not in self._seen:
            return f"viewRefreshMode {mode or '—'}, Region {'Region' in self._seen}"
        return None

    @property
    def href(self) -> str:
        """What the network link that is being read refers to; empty if it says nothing."""
        return self._seen.get("href", "") if self._open else ""


def unreached(root: str, links: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Documents that no link leads to, and links that lead round in a circle.

    Parameters
    ----------
    root
        The document that is opened first.
    links
        Documents that each document leads to.

    Yields
    ------
    tuple of str
        The document, and what is wrong.

    Examples
    --------
    >>> list(unreached("doc.kml", {"doc.kml": {"a.kml"}, "a.kml": {"doc.kml"}, "b.kml": set()}))
    [('b.kml', 'no link leads to b.kml'), ('a.kml', 'a circle of links: a.kml → doc.kml')]
    """
    seen, waiting = {root}, [root]
    while waiting:
        new = sorted(links.get(waiting.pop(), set()) - seen)
        seen.update(new)
        waiting += new
    yield from ((name, f"no link leads to {name}") for name in links if name not in seen)
    ring = _in_circles(links)
    for name in sorted(ring)[:1]:
        yield name, f"a circle of links: {name} → {min(links[name] & ring)}"


def _in_circles(links: Mapping[str, set[str]]) -> set[str]:
    """Documents whose links lead back to themselves, and those on the way between such."""
    left = set(links)
    while True:  # take away what leads nowhere, as often as anything does
        ends = {name for name in left if not links[name] & left}
        if not ends:
            return left
        left -= ends
