"""The account of a scenario: the baseline's own, with who came and went on top of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.flows import LOSSES, Flows, advance_age
from futuremap.projection.beyond import Came, Kept

Floats = NDArray[np.float64]


def account_of(
    flows: Flows,
    persons: Floats,
    kept: Kept | None,
    came: Came,
    where: NDArray[np.intp],
) -> dict[str, Floats]:
    """What changed a scenario's stocks: the baseline's own account, with who came and went.

    A flow of the baseline is as much larger or smaller as the people it brought or took; births
    and net change are what is left.

    Parameters
    ----------
    flows
        The baseline's account.
    persons
        The scenario's people ``(1 + H, Z, S, A)``. [persons]
    kept
        What is left of the baseline's people; None if nothing changed for them.
    came, where
        Who came, and the zones to which they came ``(K,)``.

    Returns
    -------
    dict
        Each flow ``(H, Z, S, A)``. [persons]
    """
    shares = np.ones(1) if kept is None else kept.share[1:]
    parts = {
        name: flows.data[name].values * shares
        for name in flows.names
        if name not in ("births", "net_change")
    }
    if len(where):
        parts.setdefault("in_migrants", np.zeros_like(persons[1:]))
        parts["in_migrants"][:, where] += came.in_migrants
    if kept is not None and kept.cleared.any():
        parts["out_migrants"] = parts.get("out_migrants", 0.0) + kept.cleared
    net = persons[1:].copy()
    for name, part in parts.items():
        net += part if name in LOSSES else -part
    births = np.zeros_like(net)
    births[..., 0] = net[..., 0]
    net -= advance_age(persons[:-1])
    net -= births
    return {"births": births, **parts, "net_change": net}
