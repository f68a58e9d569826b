"""Choice: who has no facility in reach, who has one only, who has several; nobody counted twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.zones import Zones, by_parent
from futuremap.errors import LabelError


def choices(reach: Crosswalk) -> NDArray[np.intp]:
    """Count of facilities in reach of each place ``(M,)``.

    Parameters
    ----------
    reach
        Places to facilities ``(F, M)``, each place in reach whole or not at all. [0 or 1]

    Raises
    ------
    LabelError
        If a weight is neither 0 nor 1: shares of an area don't say who is reached twice. Put
        the people on places first (:func:`futuremap.catchment.stand.stand`).

    Examples
    --------
    >>> import numpy as np
    >>> reach = from_pairs(np.array([0, 1, 1]), np.array([0, 0, 1]), np.ones(3),
    ...                    targets=["hall", "school"], sources=["a", "b", "c"], rule="800 m")
    >>> choices(reach).tolist()
    [2, 1, 0]
    """
    weights = reach.weights
    partly = (weights.data != 0) & (weights.data != 1)
    if partly.any():
        place = reach.sources[weights.indices[int(np.argmax(partly))]]
        raise LabelError(
            f"{reach.rule!r} reaches {int(partly.sum())} places in part, such as {place}; "
            "a union needs places that are reached whole",
        )
    return np.asarray(weights.sum(axis=0)).ravel().astype(np.intp)


def within_any(reach: Crosswalk, places: Zones, *, at_least: int = 1) -> Crosswalk:
    """People with at least so many facilities in reach, counted once in their municipality.

    Parameters
    ----------
    reach
        Places to facilities ``(F, M)``, by any rule that reaches a place whole. [0 or 1]
    places
        The places, in the order of the crosswalk; their parents are the targets.
    at_least
        How many facilities; 1 for coverage, 2 for a choice.

    Returns
    -------
    Crosswalk
        Places to every municipality, also to those where nobody is covered. Composed with
        dwelling it counts areas.

    Raises
    ------
    LabelError
        If the places are not the crosswalk's sources, or a place is reached in part.

    Examples
    --------
    >>> import numpy as np, shapely
    >>> homes = Zones.build(["a", "b", "c"], shapely.points([133.0] * 3, [34.4] * 3),
    ...                     names=["a", "b", "c"], parents=["34204"] * 3, kind="facility",
    ...                     plane_zone=3)
    >>> reach = from_pairs(np.array([0, 1, 1]), np.array([0, 0, 1]), np.ones(3),
    ...                    targets=["hall", "school"], sources=homes.ids, rule="800 m")
    >>> within_any(reach, homes).weights.toarray().tolist()  # a counts once
    [[1.0, 1.0, 0.0]]
    >>> within_any(reach, homes, at_least=2).weights.toarray().tolist()
    [[1.0, 0.0, 0.0]]
    """
    if reach.sources != places.ids:
        raise LabelError(
            f"the {len(places)} places are not the {len(reach.sources)} places of the reach",
        )
    codes, parent = by_parent(places.frame["parent"].to_numpy())
    (place,) = np.nonzero(choices(reach) >= at_least)
    return from_pairs(
        parent[place],
        place,
        np.ones(len(place)),
        targets=codes,
        sources=places.ids,
        rule=f"{reach.rule}, at least {at_least}",
        credits=reach.credits,
    )


def only_here(reach: Crosswalk) -> Crosswalk:
    """People who reach no other facility: those who would be left without one if it closed.

    Parameters
    ----------
    reach
        Places to facilities ``(F, M)``, each place in reach whole or not at all. [0 or 1]

    Returns
    -------
    Crosswalk
        The same reach, of the places that have one facility only. What it leaves out overlaps.

    Raises
    ------
    LabelError
        If a place is reached in part.

    Examples
    --------
    >>> import numpy as np
    >>> reach = from_pairs(np.array([0, 1, 1]), np.array([0, 0, 1]), np.ones(3),
    ...                    targets=["hall", "school"], sources=["a", "b", "c"], rule="800 m")
    >>> only_here(reach).weights.toarray().tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    pairs = reach.weights.tocoo()
    alone = (choices(reach) == 1)[pairs.col] & (pairs.data > 0)
    return from_pairs(
        pairs.row[alone],
        pairs.col[alone],
        pairs.data[alone],
        targets=reach.targets,
        sources=reach.sources,
        rule=f"{reach.rule}, no other facility in reach",
        credits=reach.credits,
    )
