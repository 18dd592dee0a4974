"""
Prove on scratch databases that each migration can be undone: up, down and up again.

Every check ends as proved, refuted or not proved, with the reason: what could not be looked at is
never called equal.
"""
