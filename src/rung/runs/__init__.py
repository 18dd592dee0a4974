"""
Where the parts are put together: look, account, plan, lock, runner. Functions on a `Target`.

A look without the lock may conclude only that nothing is to do; anything else is drawn
again under the lock before it is acted on or reported.
"""

from rung.runs.absent import Absent
from rung.runs.downs import check_read, options_of
from rung.runs.editing import accept_edit, edited
from rung.runs.health import health
from rung.runs.marking import Marked, mark
from rung.runs.moving import Preview, absent, carry_out, preview
from rung.runs.settling import check_known, drop, everything, force

__all__ = [
    "Absent",
    "Marked",
    "Preview",
    "absent",
    "accept_edit",
    "carry_out",
    "check_known",
    "check_read",
    "drop",
    "edited",
    "everything",
    "force",
    "health",
    "mark",
    "options_of",
    "preview",
]
