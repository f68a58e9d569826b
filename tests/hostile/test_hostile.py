"""Hostile files end in a located problem, soon, in little memory, and without any connection."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.hostile.shape_files import CASES, VRT

ROOT = Path(__file__).resolve().parents[2]
SINGLE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
SECONDS = 10


class Trap:
    """A server on this computer that notes whoever connects."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.caught = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            self.caught += 1
            line.close()


@pytest.fixture(scope="module")
def trap():
    found = Trap()
    yield found
    found.socket.close()


@pytest.fixture(scope="module")
def worker():
    command = [sys.executable, "-m", "tests.hostile.worker"]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | SINGLE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        yield process
        process.stdin.close()


def ask(worker, reader, path):
    worker.stdin.write(json.dumps([reader, str(path)]) + "\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


@pytest.mark.parametrize("name", list(CASES))
def test_a_hostile_file_ends_in_a_located_problem(name, trap, worker, tmp_path):
    reader, codes, build = CASES[name]
    path = build(tmp_path, trap.port)
    before = sorted(p.name for p in tmp_path.parent.iterdir())
    answer = ask(worker, reader, path)
    assert answer["status"] == 0, answer
    assert "uncaught" not in answer, answer
    assert answer["seconds"] < SECONDS
    errors = [problem for problem in answer["problems"] if problem[1] == "error"]
    assert errors, answer
    assert {problem[0] for problem in errors} <= set(codes), answer
    assert all(problem[2] == path.name and problem[4] for problem in errors)
    assert trap.caught == 0
    assert sorted(p.name for p in tmp_path.parent.iterdir()) == before


def test_the_trap_works(tmp_path):
    # the same virtual raster, opened by GDAL as it likes, does connect
    trap = Trap()
    path = tmp_path / "a.tif"
    path.write_text(VRT.format(port=trap.port), encoding="utf-8")
    code = "import sys, rasterio\ntry:\n rasterio.open(sys.argv[1]).read()\nexcept Exception: pass"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, path],
        check=True,
        timeout=60,
        env=os.environ | SINGLE,
    )
    trap.socket.close()
    assert trap.caught


def test_a_clean_file_is_read_within_the_same_limits(worker, tmp_path):
    from tests.catalogue.clean import clean

    for reader in ("register_xlsx", "vector_shp", "vector_gpkg", "raster", "estat_mesh", "ipss"):
        answer = ask(worker, reader, clean(reader, tmp_path))
        assert answer["found"]
        assert not answer["problems"]
