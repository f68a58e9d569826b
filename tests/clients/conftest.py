"""The real clients as fixtures.

scripts/test names the clients it has made ready in FUTUREMAP_CLIENTS ("earth", "qgis", "office", or
"1" for all). Tests marked ``client`` whose client isn't named are deselected, in plain sight in pytest's
closing line; where it is named, a client that doesn't work is a failure, never a skip.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
MODULES = HERE.parents[1] / ".clients" / "render" / "node_modules"
CLIENT_OF = {"render_kml": "earth", "inspect_gpkg": "qgis", "office": "office"}
EVERY_CLIENT = frozenset(CLIENT_OF.values())
SYSTEM_PYTHON = "/usr/bin/python3"


def _ready():
    named = set(os.environ.get("FUTUREMAP_CLIENTS", "").split())
    return EVERY_CLIENT if "1" in named else named


def pytest_collection_modifyitems(config, items):
    """Deselect the tests of clients that are not at hand; one that names no client needs all."""
    ready, kept, left_out = _ready(), [], []
    for item in items:
        used = {CLIENT_OF[name] for name in getattr(item, "fixturenames", ()) if name in CLIENT_OF}
        wanted = (used or EVERY_CLIENT) if item.get_closest_marker("client") else set()
        (kept if wanted <= ready else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def _json_of(command, environment, seconds):
    """Run a client and read its report; whatever goes wrong fails the test with the client's words."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=seconds,
            check=True,
        )
        return json.loads(done.stdout)
    except FileNotFoundError as error:
        pytest.fail(f"the client is not installed (bash scripts/test installs it): {error}")
    except (subprocess.SubprocessError, ValueError) as error:
        said = str(getattr(error, "stderr", "") or "")[-2000:]
        pytest.fail(f"the client did not answer: {error}\n{said}")


@pytest.fixture(scope="session")
def render_kml():
    """Draw a KML or KMZ in headless Chromium: ``render_kml(path, out_png, **options) -> report``.

    Options are those of render/render_kml.mjs; a list repeats an option:
    ``render_kml(kmz, png, size="800x600", each=["現況", "将来"])``.
    """
    browsers = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, browsers)), "chromium")
    environment = {"CHROMIUM": browser, **os.environ, "RENDER_MODULES": str(MODULES)}

    def render(path, out_png, *, timeout=300, **options):
        command = ["node", HERE / "render" / "render_kml.mjs", path, out_png, "--timeout", timeout]
        for name, value in options.items():
            for one in value if isinstance(value, (list, tuple)) else [value]:
                command += [f"--{name}", one]
        return _json_of(command, environment, timeout + 60)

    return render


@pytest.fixture(scope="session")
def inspect_gpkg(tmp_path_factory):
    """Open a GeoPackage in headless QGIS: ``inspect_gpkg(path) -> report``; pictures go to ``report["folder"]``."""
    # Nothing of this environment's Python or of the user's own QGIS settings may leak in.
    foreign = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {key: value for key, value in os.environ.items() if key not in foreign}
    environment |= {
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path_factory.mktemp("qgis-settings")),
        "XDG_RUNTIME_DIR": str(tmp_path_factory.mktemp("qgis-runtime")),
    }

    def inspect(path, *, timeout=300):
        folder = tmp_path_factory.mktemp("qgis-pictures")
        command = [SYSTEM_PYTHON, HERE / "inspect_gpkg.py", path, folder]
        return _json_of(command, environment, timeout) | {"folder": folder}

    return inspect


@pytest.fixture(scope="session")
def office(tmp_path_factory):
    """Convert a workbook in headless LibreOffice: ``office(path, "pdf") -> the new file``.

    ``office(path, "csv", sheet=2)`` gives one sheet as text, numbers with all their decimals.
    """
    # a profile of its own: a reader's open LibreOffice would take the order over
    profile = tmp_path_factory.mktemp("office-profile").as_uri()

    def convert(path, ending, *, sheet=None, timeout=300):
        folder = tmp_path_factory.mktemp("office")
        # 44: comma, 34: quotation mark, 76: UTF-8, then from line 1; the sheet is last
        how = f"csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,{sheet}"
        command = ["soffice", "--headless", "--norestore", f"-env:UserInstallation={profile}"]
        command += ["--convert-to", how if ending == "csv" else ending, "--outdir", folder, path]
        try:
            done = subprocess.run(
                [str(part) for part in command],
                capture_output=True,
                encoding="utf-8",
                timeout=timeout,
                check=True,
            )
        except FileNotFoundError as error:
            pytest.fail(f"the client is not installed (bash scripts/test installs it): {error}")
        except subprocess.SubprocessError as error:
            pytest.fail(f"LibreOffice did not convert the file: {error}")
        made = list(folder.iterdir())
        assert len(made) == 1, done.stdout + done.stderr
        return made[0]

    return convert
