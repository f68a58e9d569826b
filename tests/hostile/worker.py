"""Reads hostile files, each in a process of its own that may use 1 GiB of addresses.

Libraries are loaded once; a line of JSON (reader, path) on stdin then forks a process, and a line
with what it found, or how it ended, comes back on stdout.
"""

import json
import os
import resource
import signal
import sys
import time
import warnings
from pathlib import Path

LIMIT = 2**30  # bytes
SECONDS = 10


def main():
    """Answer one line after the other."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from futuremap.problems import Report
    from tests.catalogue.clean import READERS

    for line in sys.stdin:
        name, path = json.loads(line)
        inlet, outlet = os.pipe()
        started = time.monotonic()
        child = os.fork()
        if not child:
            signal.alarm(SECONDS)  # whose signal ends the process
            os.close(inlet)
            try:
                told = _read(READERS[name].read, Path(path), Report())
            except BaseException as error:  # noqa: BLE001
                told = {"uncaught": repr(error)}
            os.write(outlet, json.dumps(told).encode())
            os._exit(0)
        os.close(outlet)
        with os.fdopen(inlet, "rb") as pipe:
            told = pipe.read()
        _, status, used = os.wait4(child, 0)
        answer = json.loads(told) if told else {}
        answer |= {"status": status, "seconds": time.monotonic() - started, "peak": used.ru_maxrss}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _read(read, path, report):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read(path, report)
    places = [[p.code, p.severity, p.file, p.line, p.text("why", "en")] for p in report.problems]
    return {"problems": places[:20], "found": found is not None}


if __name__ == "__main__":
    main()
