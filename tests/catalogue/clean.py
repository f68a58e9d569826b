"""A small clean file for every reader, and how the reader is called on it.

Catalogue, hostile files and fuzzing all start from these: what is wrong with a broken file is
then known to be the one thing that was broken.
"""

from tests.catalogue.clean_shapes import fill_ages, mesh_rows, write_mesh
from tests.catalogue.clean_tables import AGES, ipss_rows, write_ipss
from tests.catalogue.registry import READERS, clean, rows_of

__all__ = [
    "AGES", "READERS", "clean", "fill_ages", "ipss_rows", "mesh_rows", "rows_of", "write_ipss",
    "write_mesh",
]  # fmt: skip
