"""
Prove on scratch databases that each migration can be undone: up, down and up again. Pure values.

Every check ends as proved, refuted or not proved, with the reason: what could not be looked at is
never called equal.
"""

from rung.verify.model import Fix, MigrationVerdict, Verdict, VerifyReport
from rung.verify.run import Budget, verify

__all__ = ["Budget", "Fix", "MigrationVerdict", "Verdict", "VerifyReport", "verify"]
