"""A small clean file for every reader, and how the reader is called on it.

Catalogue, hostile files and fuzzing all start from these: what is wrong with a broken file is
then known to be the one thing that was broken.
"""

from futuremap.sources.recognise import recognise
from tests.catalogue.clean_shapes import fill_ages, mesh_rows, write_mesh
from tests.catalogue.clean_tables import AGES, ipss_rows, write_ipss
from tests.catalogue.registry import READERS, clean, rows_of

RECOGNISED = (
    "register_xlsx", "ipss", "outline", "vector_shp", "vector_gpkg", "vector_zip", "ksj_points",
    "raster",
)  # fmt: skip


def told(path, _report):
    """What a file is said to be; nothing may stop on the way."""
    found = recognise(path)
    if any("stopped (" in en for _, en in found.lacks):
        raise AssertionError(found.lacks)
    return found


# the one who says what a file is, on files of several forms
READERS |= {f"recognise_{name}": READERS[name]._replace(read=told) for name in RECOGNISED}

__all__ = [
    "AGES", "READERS", "clean", "fill_ages", "ipss_rows", "mesh_rows", "rows_of", "told",
    "write_ipss", "write_mesh",
]  # fmt: skip
