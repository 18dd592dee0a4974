"""The `migrate` command: golang-migrate's command line on Rung's engine."""
