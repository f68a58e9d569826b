"""The order of things: prepare the input, run the method, deliver the outputs, explain a number."""

from futuremap.pipeline.backtest import Hindsight as Hindsight
from futuremap.pipeline.backtest import backtest as backtest
from futuremap.pipeline.backtest import deliver_backtest as deliver_backtest
from futuremap.pipeline.deliver import deliver as deliver
from futuremap.pipeline.diff import Difference as Difference
from futuremap.pipeline.diff import deliver_diff as deliver_diff
from futuremap.pipeline.diff import diff as diff
from futuremap.pipeline.explain import explain as explain
from futuremap.pipeline.prepare import Prepared as Prepared
from futuremap.pipeline.prepare import check_project as check_project
from futuremap.pipeline.prepare import open_project as open_project
from futuremap.pipeline.prepare import prepare as prepare
from futuremap.pipeline.run import Outcome as Outcome
from futuremap.pipeline.run import run as run
from futuremap.pipeline.siting import Choice as Choice
from futuremap.pipeline.siting import choose as choose
from futuremap.pipeline.survey import starter as starter
from futuremap.pipeline.survey import survey_folder as survey_folder
from futuremap.pipeline.survey import survey_lines as survey_lines
