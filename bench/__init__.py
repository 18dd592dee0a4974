"""
Measure what Rung costs, in counts and ratios; `python -m bench` prints it.

Nothing here is part of the package: it starts whole processes, as a user does.
"""
