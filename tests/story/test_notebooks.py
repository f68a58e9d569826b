"""The notebooks run from the installed wheel, outside the checkout, and are kept without outputs."""

import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_committed_without_outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


# the kernel's own libraries warn on some machines; what the notebook does is checked by its cells
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_the_wheel_outside_the_checkout(path, wheel_site, tmp_path, monkeypatch):
    copy = Path(shutil.copy(path, tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(wheel_site))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.read(copy, as_version=4)
    where = "import futuremap, os; assert futuremap.__file__.startswith(os.environ['PYTHONPATH'])"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(where))
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ})
    assert list((tmp_path / "out").rglob("*.kmz"))
