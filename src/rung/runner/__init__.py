"""Carrying plans out: the SQL read beforehand, the steps run, the outcome told."""

from rung.runner.preparation import Prepared, prepare
from rung.runner.report import RunReport, StepReport
from rung.runner.run import Runner

__all__ = ["Prepared", "RunReport", "Runner", "StepReport", "prepare"]
