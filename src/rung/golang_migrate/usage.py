"""
The usage texts of golang-migrate: the whole command's, and each command's. Data.

They are identical to the letter, uneven indents included: scripts may search for them.
"""

from __future__ import annotations

from rung.golang_migrate.schemes import DATABASES, SOURCES

CREATE = """\
create [-ext E] [-dir D] [-seq] [-digits N] [-format] [-tz] NAME
\t   Create a set of timestamped up/down migrations titled NAME, in directory D with extension E.
\t   Use -seq option to generate sequential up/down migrations with N digits.
\t   Use -format option to specify a Go time format string. Note: migrations with the same time \
cause "duplicate migration version" error.
           Use -tz option to specify the timezone that will be used when generating non-sequential \
migrations (defaults: UTC).
"""
GOTO = "goto V       Migrate to version V"
UP = "up [N]       Apply all or N up migrations"
DOWN = """\
down [N] [-all]    Apply all or N down migrations
\tUse -all to apply all down migrations"""
DROP = """\
drop [-f]    Drop everything inside database
\tUse -f to bypass confirmation"""
FORCE = "force V      Set version V but don't run migration (ignores dirty state)"
FORMAT = """\
The Go time format string to use. If the string "unix" or "unixNano" is specified, then the \
seconds or nanoseconds since January 1, 1970 UTC respectively will be used. Caution, due to the \
behavior of time.Time.Format(), invalid format strings will not error"""

_OVERVIEW = """\
Usage: migrate OPTIONS COMMAND [arg...]
       migrate [ -version | -help ]

Options:
  -source          Location of the migrations (driver://url)
  -path            Shorthand for -source=file://path
  -database        Run migrations against this database (driver://url)
  -prefetch N      Number of migrations to load in advance before executing (default 10)
  -lock-timeout N  Allow N seconds to acquire database lock (default 15)
  -verbose         Print verbose logging
  -version         Print version
  -help            Print usage

Commands:
  {commands}
  version      Print current migration version

Source drivers: {sources}
Database drivers: {databases}"""


def overview() -> str:
    """Return the usage text of the whole command."""
    return _OVERVIEW.format(
        commands=f"{CREATE}\n  {GOTO}\n  {UP}\n  {DOWN}\n  {DROP}\n  {FORCE}",
        sources=", ".join(SOURCES),
        databases=", ".join(DATABASES),
    )
