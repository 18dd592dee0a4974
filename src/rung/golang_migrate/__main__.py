"""`python -m rung.golang_migrate` is the command `migrate`."""

from rung.golang_migrate.main import run

run()
