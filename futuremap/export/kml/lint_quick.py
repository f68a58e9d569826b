"""Quick: whether a document is sound, at half the cost of saying where it is not.

Nearly all of a document are placemarks, and placemarks have few forms (`lint_forms`). The first
of each form goes through the parser like everything else. Of the others the parser is given the
head and the end only; their texts are taken to the same checks as if it had met them. Whatever
is not plainly sound raises `Doubt`, and the document is read once more, by `Document` alone:
what is found, and where, never depends on this module.
"""

from __future__ import annotations

import re
from typing import IO, NoReturn

from futuremap.export.kml.lint_document import Document
from futuremap.export.kml.lint_forms import Form, form_of, split, unescape, without_ids
from futuremap.export.kml.lint_reader import (
    DEEPEST,
    FEATURES,
    LONGEST_TOKEN,
    MOST_TEXT,
    UPDATES,
)

HEAD, END = b"<Placemark", b"</Placemark>"
MOST_BODY = 2**18  # bytes; a longer placemark is left to the parser
MOST_FORMS = 64
TRIALS = 256  # placemarks after which forms are given up, unless most had a known one
# a tag in a text, as it is written: like TAG of `lint_html`, which sees it as it is meant
ESCAPED = re.compile(r"&lt;[^&]*(?:&(?!gt;)[^&]*)*(?:&gt;)?")


class Doubt(Exception):  # noqa: N818 - not an error; ends the quick reading
    """The document may not be sound."""


class Quick(Document):
    """One quick pass over a document, of which only `sound` says anything.

    Parameters
    ----------
    name, profile, members, place, doubts
        As of `Document`.
    """

    # much below those of `Document`, which may have read on to another place when it looks
    most_text, longest_token = MOST_TEXT // 4, LONGEST_TOKEN // 4

    def sound(self, stream: IO[bytes], *, root: bool = True) -> bool:
        """Whether `Document` finds nothing; no if in doubt."""
        self._forms: dict[tuple[str, ...], Form] | None = {}  # None: there are none, or no longer
        self._hits, self._misses = 0, 0
        self._opened = -1  # where the tag of the last feature began [bytes given]
        self._sound_markup: set[str] = set()
        self._parser.StartNamespaceDeclHandler = self._namespace
        try:
            self.read(stream, root=root)
        except Doubt:
            return False
        return not self.findings

    def find(self, rule: str, seen: str) -> NoReturn:
        """Stop at the first fault."""
        raise Doubt(rule, seen)

    def find_all(self, rule: str, seen: str) -> NoReturn:
        """Stop at the first fault."""
        raise Doubt(rule, seen)

    def _declaration(self, version: str, encoding: str | None, alone: int) -> None:
        super()._declaration(version, encoding, alone)
        if encoding is not None and encoding.lower() != "utf-8":
            self._forms = None

    def _namespace(self, _prefix: str | None, _uri: str) -> None:
        if self.stack:  # below the root the same tag may mean another element from here on
            self._forms = None

    def _feature(self, tag: str, own: str) -> None:
        super()._feature(tag, own)
        self._opened = self._parser.CurrentByteIndex

    def _take(self, piece: bytes) -> None:
        data, done = self._held + piece, 0  # up to done the parser was given it, or spared it
        kept = mark = end = -1
        while self._forms is not None and (head := data.find(HEAD, done)) >= 0:
            # what was found for the head before may serve this one, too: nothing is searched twice
            mark = mark if mark > head else data.find(b">", head)
            end = end if end > mark else data.find(END, mark)
            if min(mark, end) < 0:
                kept = head if len(data) - head < MOST_BODY else -1  # the rest is still to be read
                break
            if end - head < MOST_BODY:
                self._give(data[done : mark + 1])
                self._body(data[mark + 1 : end], tag=data[head : mark + 1])
                done = end
            else:
                self._give(data[done : head + len(HEAD)])
                done = head + len(HEAD)
        last = max(done, data.rfind(b"<"))
        if kept < 0:  # the beginning of a head is kept, too
            kept = last if self._forms is not None and HEAD.startswith(data[last:]) else len(data)
        self._give(data[done:kept])
        self._held = data[kept:]

    def _body(self, raw: bytes, *, tag: bytes) -> None:
        """Meet the body of a placemark, whose tag is what the parser was given last."""
        # whether the parser took the tag for one, not for a part of a comment, or letters of UTF-16
        real = self._opened == self._given - len(tag) and not tag.endswith(b"/>")
        plain, ids = without_ids(raw)
        pieces = split(plain) if real and self._forms is not None else []
        tags = tuple(pieces[1::2])
        form = self._forms.get(tags) if self._forms and pieces else None
        known = form is not None and form.ids == len(ids)  # else a mark was written as such
        if form is not None and known and len(self.stack) + form.depth <= DEEPEST:
            for own in ids:
                self.named("", {"id": own.decode()})
            self._replay(form, pieces)
            return
        self._give(raw)
        self._learn(tags if pieces else None)

    def _learn(self, tags: tuple[str, ...] | None) -> None:
        """Remember the form of a body that the parser was given, if it may have one."""
        if self._forms is None:
            return
        self._misses += 1
        if self._misses > TRIALS and self._misses > self._hits:
            self._forms = None  # there is no form to them
        elif tags is not None and len(self._forms) < MOST_FORMS:
            form = form_of(tags, begin=self.at_start, end=self.at_end, never=FEATURES | UPDATES)
            if form is not None:
                self._forms[tags] = form

    def _replay(self, form: Form, pieces: list[str]) -> None:
        """Take the texts of a body of a known form to their checks."""
        self._hits += 1
        self._elements += form.elements
        depth = len(self.stack)
        for path, tag, place in form.steps:
            self.stack[depth:] = path
            if place is None:
                self.at_start[tag](tag)
                continue
            text = pieces[place] if place >= 0 else ""
            if "&" in text:
                if tag == "description" and not path and not self._doubts:
                    self._markup(text)
                    continue
                text = unescape(text)
            self.at_end[tag](tag, text)
        del self.stack[depth:]

    def _markup(self, text: str) -> None:
        """Check the text of a balloon as `_html` does, but as it is written."""
        if "$[" in text:
            raise Doubt("running", text)
        for markup in set(ESCAPED.findall(text)) - self._sound_markup:
            self._tag(unescape(markup))
            self.keep(markup)
            self._sound_markup.add(markup)
