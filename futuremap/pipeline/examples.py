"""The example projects that come with the program."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from futuremap.errors import ExportError, UnknownNameError

CHECKOUT = Path(__file__).resolve().parents[2] / "fixtures" / "geo"


def folder() -> Path:
    """Where the examples stand: in the installed package, or in the checkout it runs from."""
    with as_file(files("futuremap") / "fixtures") as packed:
        return packed if packed.is_dir() else CHECKOUT


def names() -> list[str]:
    """Names of the examples."""
    return sorted(file.parent.name for file in folder().glob("*/project.toml"))


def example(name: str) -> Path:
    """Folder of one example; hyphens and underscores in its name are the same.

    Raises
    ------
    UnknownNameError
        If there is no example of that name.
    """
    wanted = name.replace("-", "_")
    if wanted not in names():
        raise UnknownNameError(name, tuple(names()))
    return folder() / wanted


def copy(name: str, target: Path) -> None:
    """Copy an example into a new folder.

    Raises
    ------
    ExportError
        If the folder exists and is not empty, or cannot be written.
    """
    source = example(name)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target}：空でないフォルダーには作りません / not an empty folder")
    try:
        shutil.copytree(source, target, dirs_exist_ok=True)
    except OSError as error:
        raise ExportError(f"{target}：{error.strerror}") from error
