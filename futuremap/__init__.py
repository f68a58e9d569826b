"""futuremap: small-area population, projected, gathered to facilities and shown in Google Earth.

From Python::

    import futuremap as fm

    outcome = fm.run(fm.open_project(fm.example("takamatsu")))
    outcome.municipal.frame("population")
    fm.deliver(outcome, Path("out"))
    (choice,) = fm.choose(outcome, "community_center", year=2053, keep=40)
    choice.kept, choice.events()

What would it take::

    target, lever = "indicator=population, year=2053, keep=0.9", "bundle=family_30s, max=500"
    print(fm.what_would_it_take(outcome, targets=[target], levers=[lever]))
"""

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from futuremap.backcast.answer import Answer as Answer
    from futuremap.backcast.backcast import what_would_it_take as what_would_it_take
    from futuremap.backcast.deliver import deliver_answer as deliver_answer
    from futuremap.backcast.prescription import prescribe as prescribe
    from futuremap.core.crosswalk import Crosswalk as Crosswalk
    from futuremap.core.crosswalk import gather as gather
    from futuremap.core.facilities import Facilities as Facilities
    from futuremap.core.flows import Flows as Flows
    from futuremap.core.layer import Layer as Layer
    from futuremap.core.population import Population as Population
    from futuremap.core.rates import Rates as Rates
    from futuremap.core.table import Table as Table
    from futuremap.core.zones import Zones as Zones
    from futuremap.errors import FuturemapError as FuturemapError
    from futuremap.errors import InputRefused as InputRefused
    from futuremap.pipeline.deliver import deliver as deliver
    from futuremap.pipeline.deliver_scenarios import deliver_scenarios as deliver_scenarios
    from futuremap.pipeline.examples import example as example
    from futuremap.pipeline.explain import explain as explain
    from futuremap.pipeline.prepare import check_project as check_project
    from futuremap.pipeline.prepare import open_project as open_project
    from futuremap.pipeline.response_table import response_table as response_table
    from futuremap.pipeline.run import Outcome as Outcome
    from futuremap.pipeline.run import run as run
    from futuremap.pipeline.scenarios import run_scenarios as run_scenarios
    from futuremap.pipeline.siting import Choice as Choice
    from futuremap.pipeline.siting import choose as choose

__version__ = _version("futuremap")

# where each public name lives; it is imported when first asked for, so that `import futuremap`
# and a single module of it stay quick
_HOMES = {
    "Choice": "pipeline.siting",
    "Answer": "backcast.answer",
    "Crosswalk": "core.crosswalk",
    "Facilities": "core.facilities",
    "Flows": "core.flows",
    "FuturemapError": "errors",
    "InputRefused": "errors",
    "Layer": "core.layer",
    "Outcome": "pipeline.run",
    "Population": "core.population",
    "Rates": "core.rates",
    "Table": "core.table",
    "Zones": "core.zones",
    "check_project": "pipeline.prepare",
    "choose": "pipeline.siting",
    "deliver": "pipeline.deliver",
    "deliver_answer": "backcast.deliver",
    "deliver_scenarios": "pipeline.deliver_scenarios",
    "example": "pipeline.examples",
    "explain": "pipeline.explain",
    "gather": "core.crosswalk",
    "open_project": "pipeline.prepare",
    "prescribe": "backcast.prescription",
    "response_table": "pipeline.response_table",
    "run": "pipeline.run",
    "run_scenarios": "pipeline.scenarios",
    "what_would_it_take": "backcast.backcast",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of the names above


def __getattr__(name: str) -> _Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'futuremap' has no attribute {name!r}")
    return getattr(_import_module(f"futuremap.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return ["__version__", *__all__]
