"""Areal weights against shapely."""

import numpy as np
import shapely

from futuremap.core.overlap import pieces, shares


def test_pieces_cover_each_source_once():
    sources = shapely.buffer(shapely.points([[1.0, 1.0], [2.5, 1.5]]), 1.0, quad_segs=8)
    grid = shapely.box(
        *np.meshgrid(np.arange(5.0), np.arange(4.0)),
        *np.meshgrid(np.arange(1, 6.0), np.arange(1, 5.0)),
    )
    targets = grid.ravel()
    cut = pieces(targets, sources)
    weight = shares(shapely.area(cut.geometry), cut.source, count=2)
    sums = np.bincount(cut.source, weights=weight)
    np.testing.assert_allclose(sums, 1.0, rtol=1e-14)
    area = np.bincount(cut.source, weights=shapely.area(cut.geometry))
    inside = shapely.area(shapely.intersection(sources, shapely.box(0, 0, 5, 4)))
    np.testing.assert_allclose(area, inside)
    assert (np.diff(cut.target) >= 0).all()
