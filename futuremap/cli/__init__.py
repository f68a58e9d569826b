"""The command line: new, check, run, demo, explain, siting, backtest, kml-check."""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn

from futuremap.cli.commands import app
from futuremap.cli.console import complain
from futuremap.errors import FuturemapError, ResourceError

INTERRUPTED = 130
DEBUG = "FUTUREMAP_DEBUG"


def main() -> None:
    """Run a command; every error becomes one message and an exit code, never a traceback.

    Set the environment variable ``FUTUREMAP_DEBUG`` to see where an error was raised.
    """
    try:
        app()
    except MemoryError as error:
        _leave(ResourceError("メモリが足りません / out of memory"), error)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer turns Ctrl-C into this code and says nothing
            sys.stderr.write(
                "中断しました。前回の出力はそのままです / interrupted; nothing changed\n"
            )
        raise
    except Exception as error:  # noqa: BLE001 - the last door: a planner sees no traceback
        _leave(error, error)


def _leave(said: Exception, cause: Exception) -> NoReturn:
    complain(said)
    if os.environ.get(DEBUG):
        traceback.print_exception(cause)
    raise SystemExit(getattr(said, "exit_code", FuturemapError.exit_code))
