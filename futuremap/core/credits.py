"""The register of credits (出典): every data set that leaves the program names where it is from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from futuremap.errors import LabelError

SYNTHETIC = ("合成データ", "Synthetic data")  # the mark of all that is made up


@dataclass(frozen=True)
class Credit:
    """Credit line of one data set.

    Parameters
    ----------
    key
        Short name by which a project file refers to it.
    text_ja, text_en
        The line that stands on every output.
    licence
        Licence or terms under which it is used.
    url
        Where the publisher describes it; empty if there is no public page.
    synthetic
        Whether the data are made up (合成データ).
    """

    key: str
    text_ja: str
    text_en: str
    licence: str
    url: str = ""
    synthetic: bool = False

    def line(self, lang: str = "ja") -> str:
        """The credit with its licence, as it is printed."""
        text = self.text_ja if lang == "ja" else self.text_en
        word = SYNTHETIC[0 if lang == "ja" else 1]
        said = text.lower().startswith(word.lower())
        mark = f"［{word}］" if self.synthetic and not said else ""
        return (
            f"{mark}{text}（{self.licence}）" if lang == "ja" else f"{mark}{text} ({self.licence})"
        )


@cache
def register() -> dict[str, Credit]:
    """Credits of the public data sets that futuremap knows by name."""
    text = (files("futuremap.core") / "credits.toml").read_text(encoding="utf-8")
    return {key: Credit(key, **entry) for key, entry in tomllib.loads(text).items()}


def credits_of(keys: Iterable[str], own: Mapping[str, Credit]) -> tuple[Credit, ...]:
    """Credits of the named data sets, sorted by key; a project's own come before the register.

    Raises
    ------
    LabelError
        If a data set has no credit: nothing is published without one.
    """
    known = register() | dict(own)
    missing = sorted(set(keys) - set(known))
    if missing:
        raise LabelError(f"no credit is registered for {missing}")
    return tuple(known[key] for key in sorted(set(keys)))
