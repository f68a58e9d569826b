"""Readers by name, each with a small clean file and how it is called."""

import csv
from collections.abc import Callable
from typing import NamedTuple


class Reader(NamedTuple):
    """One reader on one format.

    make
        Writes the clean file beside the path given, and says which it is.
    read
        Calls the reader.
    ending
        Of the clean file.
    kind
        "text", "xlsx" or "gdal" (and other binary formats).
    """

    make: Callable
    read: Callable
    ending: str
    kind: str


READERS: dict[str, Reader] = {}


def clean(name, folder):
    """The clean file of a reader, in a folder."""
    one = READERS[name]
    return one.make(folder / f"clean{one.ending}")


def rows_of(name, folder):
    """The clean table of a reader as rows of texts."""
    path = clean(name, folder)
    encoding = "cp932" if name.startswith("estat") else "utf-8-sig"
    with path.open(encoding=encoding, newline="") as text:
        delimiter = "\t" if name == "wpp" else ","
        return list(csv.reader(text, delimiter=delimiter))


def on(name, ending, kind, make):
    def decorate(read):
        READERS[name] = Reader(make, read, ending, kind)
        return read

    return decorate
