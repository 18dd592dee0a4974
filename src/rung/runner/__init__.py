"""Carrying plans out: the SQL read beforehand, the steps run, the outcome told."""

from rung.runner.context import Context
from rung.runner.preparation import Prepared, prepare
from rung.runner.recording import Recorder
from rung.runner.report import RunReport, StepReport
from rung.runner.run import run_plan
from rung.runner.together import check_together, run_together

__all__ = [
    "Context",
    "Prepared",
    "Recorder",
    "RunReport",
    "StepReport",
    "check_together",
    "prepare",
    "run_plan",
    "run_together",
]
