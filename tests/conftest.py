"""Fixtures shared by all rooms: the demo run once, and copies of its project to break."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from futuremap.cli import main
from futuremap.config import load
from futuremap.errors import InputRefused
from futuremap.pipeline import Outcome, prepare, run
from futuremap.problems import Report

ROOT = Path(__file__).resolve().parents[1]
TAKAMATSU = ROOT / "fixtures" / "geo" / "takamatsu"


class Answer(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str


def quiet(step: str) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="session")
def demo_output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published folder of `futuremap demo`, run as a person would."""
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "futuremap", "demo", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return out / "takamatsu"


@pytest.fixture(scope="session")
def outcome() -> Outcome:
    """The demo's numbers, in this process."""
    report = Report()
    project = load(TAKAMATSU, report=report)
    assert project is not None
    return run(prepare(project, report=report, progress=quiet), progress=quiet)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the demo's project, free to be broken."""
    return Path(shutil.copytree(TAKAMATSU, tmp_path / "project"))


@pytest.fixture
def checked() -> Callable[[Path], Report]:
    """Read a project and give back everything found in it."""

    def check(folder: Path) -> Report:
        report = Report()
        loaded = load(folder, report=report)
        if loaded is not None:
            with contextlib.suppress(InputRefused):
                prepare(loaded, report=report, progress=quiet)
        return report

    return check


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
