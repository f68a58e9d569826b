"""Fixtures shared by all rooms: the demo run once, and copies of its project to break."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from futuremap.cli import main
from futuremap.pipeline import Outcome, check_project, open_project, run
from futuremap.problems import Report

ROOT = Path(__file__).resolve().parents[1]
TAKAMATSU = ROOT / "fixtures" / "geo" / "takamatsu"
TWO_TOWNS = ROOT / "fixtures" / "geo" / "mihara_yugawara"


class Answer(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def demo_output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published folder of `futuremap demo`, run as a person would."""
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "futuremap", "demo", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return out / "takamatsu"


@pytest.fixture(scope="session")
def wheel_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built wheel unpacked, as an installation has it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", *build], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture(scope="session")
def outcome() -> Outcome:
    """The demo's numbers, in this process."""
    return run(open_project(TAKAMATSU))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the demo's project, free to be broken."""
    return Path(shutil.copytree(TAKAMATSU, tmp_path / "project"))


def one_of_two(folder: Path, code: str) -> Path:
    """A project of 三原市 or 湯河原町 alone, in a new folder: small, and quick to run."""
    shutil.copytree(TWO_TOWNS, folder)
    file = folder / "project.toml"
    head, *towns = file.read_text(encoding="utf-8").split("\n[[municipality]]\n")
    last, tail = towns[-1].split("\n[reach]\n")
    kept = next(town for town in (*towns[:-1], last) if f'code = "{code}"' in town)
    text = f"{head}\n[[municipality]]\n{kept}\n[reach]\n{tail}"
    if code != "14384":  # the scenario is about 湯河原町
        text = text.split("\n[scenario.stay]", 1)[0]
    file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def small_town(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """湯河原町 alone: 18 made-up blocks."""
    return run(open_project(one_of_two(tmp_path_factory.mktemp("small") / "project", "14384")))


@pytest.fixture
def checked() -> Callable[[Path], Report]:
    """Read a project and give back everything found in it."""

    return check_project


@pytest.fixture
def futuremap(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., Answer]:
    """The command line in this process."""

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["futuremap", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capfd.readouterr()
        return Answer(code, captured.out, captured.err)

    return call
