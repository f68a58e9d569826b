"""The language of the maps, where somebody asks for another than the project file says."""

from __future__ import annotations

from futuremap.config.cartography import Language, Output
from futuremap.pipeline.prepare import Prepared


def in_language(prepared: Prepared, language: Language | None) -> Prepared:
    """A project whose maps speak a language; the manifest says which.

    Parameters
    ----------
    prepared
        Checked input.
    language
        "ja" or "en"; None leaves what the project file says.
    """
    if language is None:
        return prepared
    said = {"output": Output(language=language)}
    return prepared._replace(project=prepared.project.model_copy(update=said))
