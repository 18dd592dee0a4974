"""
Diagnose and repair a dirty database.

`candidates` names the files that may have run. `trial_runs` runs each on a scratch database,
statement by statement, which gives the states that it could have left. `match_states` compares
the live schema with these. `propose` proposes one action, and `run` executes it.
"""

from rung.repair.candidates import find_candidates, possible_states
from rung.repair.match_states import judge
from rung.repair.model import (
    Action,
    ActionKind,
    Candidate,
    Diagnosis,
    State,
    StateMatch,
    StatementReport,
    StatementState,
    TrialResult,
)
from rung.repair.propose import propose, undo_candidates
from rung.repair.rollback import Proof, Rollback
from rung.repair.statement_reports import data_loss_refusal, report_statements

__all__ = [
    "Action",
    "ActionKind",
    "Candidate",
    "Diagnosis",
    "Proof",
    "Rollback",
    "State",
    "StateMatch",
    "StatementReport",
    "StatementState",
    "TrialResult",
    "data_loss_refusal",
    "find_candidates",
    "judge",
    "possible_states",
    "propose",
    "report_statements",
    "undo_candidates",
]
