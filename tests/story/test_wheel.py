"""The built wheel, away from the checkout: the demo works and gives the same bytes."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.story.test_demo import hashes

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_runs_from_the_wheel_outside_the_checkout(demo_output, tmp_path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT]
    subprocess.run(list(map(str, build)), check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        assert "futuremap/py.typed" in archive.namelist()
        archive.extractall(site)
    # ahead of the checkout that the test environment has installed
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def python(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert python("-c", "import futuremap; print(futuremap.__file__)").startswith(str(site))
    python("-m", "futuremap", "demo", "--out", "out")
    assert hashes(tmp_path / "out" / "takamatsu") == hashes(demo_output)
