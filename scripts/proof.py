"""The checks of a proof script: logged as they come, printed as one JSON line at the end."""

from __future__ import annotations

import json
import math
import operator
import sys

COMPARE = {"<=": operator.le, ">=": operator.ge, "==": operator.eq}


class Checks:
    """Figures beside their limits.

    Examples
    --------
    >>> checks = Checks()
    >>> checks.add("mape", 0.5, "<=", 1.0, "%")
    >>> checks.add("coverage", None, ">=", 77.0, "%")
    >>> [check["ok"] for check in checks.checks]
    [True, False]
    """

    def __init__(self) -> None:
        self.checks: list[dict[str, object]] = []

    def add(self, name: str, value: float | None, op: str, limit: float, unit: str) -> None:
        """Add a figure; None says that it could not be measured, which is not ok."""
        known = value is not None and math.isfinite(value)
        ok = known and bool(COMPARE[op](value, limit))
        self.checks.append(
            {
                "name": name,
                "value": value if known else None,
                "op": op,
                "limit": limit,
                "unit": unit,
                "ok": ok,
            },
        )
        log(f"{'ok  ' if ok else 'MISS'} {name}: {value} {op} {limit} {unit}")

    def print(self, **more: object) -> None:
        """Print the last line of stdout: the checks, and what else belongs to the report."""
        print(json.dumps({"checks": self.checks, **more}, ensure_ascii=False))


def log(text: str) -> None:
    """Say something on stderr."""
    print(text, file=sys.stderr, flush=True)
