"""The built wheel, away from the checkout: the demo works and gives the same bytes."""

import os
import subprocess
import sys

from tests.story.test_demo import hashes


def test_the_demo_runs_from_the_wheel_outside_the_checkout(demo_output, wheel_site, tmp_path):
    assert (wheel_site / "futuremap" / "py.typed").is_file()
    # ahead of the checkout that the test environment has installed
    environment = {**os.environ, "PYTHONPATH": str(wheel_site)}

    def python(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert python("-c", "import futuremap; print(futuremap.__file__)").startswith(str(wheel_site))
    python("-m", "futuremap", "demo", "--out", "out")
    assert hashes(tmp_path / "out" / "takamatsu") == hashes(demo_output)
