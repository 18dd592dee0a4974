"""
What a dirty database holds, and what mends it: decided here, without the world.

`evidence` names the files that may have run; on scratch each is run through statement by
statement, which gives the states it could have left; `judging` compares the live schema with
them; `mending` proposes one action.
"""

from rung.repair.candidates import find_candidates, states_of
from rung.repair.match_states import judge
from rung.repair.model import (
    Action,
    ActionKind,
    Candidate,
    Diagnosis,
    Fate,
    State,
    StateMatch,
    StatementFound,
    TrialResult,
)
from rung.repair.propose import propose, undo_candidates
from rung.repair.report import loses, statements_found
from rung.repair.rollback import Proof, Rollback

__all__ = [
    "Action",
    "ActionKind",
    "Candidate",
    "Diagnosis",
    "Fate",
    "Proof",
    "Rollback",
    "State",
    "StateMatch",
    "StatementFound",
    "TrialResult",
    "find_candidates",
    "judge",
    "loses",
    "propose",
    "statements_found",
    "states_of",
    "undo_candidates",
]
