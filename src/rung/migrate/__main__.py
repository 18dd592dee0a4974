"""`python -m rung.migrate` is the command `migrate`."""

from rung.migrate.main import run

run()
