"""futuremap: small-area population, projected, gathered to facilities and shown in Google Earth."""

from importlib.metadata import version

__version__ = version("futuremap")
