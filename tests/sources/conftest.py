"""A report whose texts are proven complete when the test is over."""

import pytest

from futuremap.problems import Report, catalogue


@pytest.fixture
def report():
    """Every problem noted during the test must fill every place of its texts, in both languages."""
    noted = Report()
    yield noted
    for problem in noted.problems:
        details = dict(problem.detail) | {"value": problem.value, "column": problem.column}
        for part in ("title", "expected", "why", "fix"):
            for lang in ("ja", "en"):
                complete = catalogue()[problem.code][f"{part}_{lang}"].format_map(details)
                assert problem.text(part, lang) == complete
        assert problem.file
