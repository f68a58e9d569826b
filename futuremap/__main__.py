"""``python -m futuremap``."""

from futuremap.cli import main

main()
