"""Find the migrations whose files were added or changed since a commit, by asking git."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from rung.errors import UsageError
from rung.source import filenames

if TYPE_CHECKING:
    from rung.source import MigrationSet


def changed_versions(source: str, migrations: MigrationSet, ref: str) -> frozenset[int]:
    """
    Return the versions with a file that was added, changed or removed since a commit.

    Files that are not committed yet count as well. The commit is the one where the branch left
    `ref`, so that what others merged there meanwhile does not count.

    Args:
        source: the folder of the migrations.
        migrations: what the folder holds now.
        ref: a branch, tag or commit.

    Raises:
        UsageError: the source is no folder in a git repository, or git does not know `ref`.
    """
    folder = Path(source)
    if not folder.is_dir():
        raise UsageError(
            f"--since needs a folder in a git repository; the source is {source}",
            "leave --since out, or name the versions to verify",
        )
    base = _git(folder, "merge-base", "--", ref, "HEAD").strip()
    # Without the detection of renames, a file has a line under its old name too.
    since = _git(folder, "diff", "--name-only", "--no-renames", "--relative", "-z", base, "--", ".")
    new = _git(folder, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    named = (filenames.parse(name) for name in (since + new).split("\0"))  # none in a subfolder
    changed = {name.version for name in named if name is not None}
    return frozenset(one.version for one in migrations.migrations if one.version in changed)


def _git(folder: Path, *arguments: str) -> str:
    try:
        ran = subprocess.run(  # noqa: S603 - no shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            check=True,
            text=True,
            errors="surrogateescape",
        )
    except FileNotFoundError:
        raise UsageError(
            "--since needs git, which is not installed", "install git, or name the versions"
        ) from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()
        raise UsageError(
            f"git could not compare {folder} with the commit of --since: "
            f"{said[-1] if said else 'there is no common commit'}",
            "name a branch, tag or commit that this repository has: `git branch --all` lists them; "
            "a shallow clone has no earlier ones: `git fetch --unshallow`",
        ) from None
    return ran.stdout
