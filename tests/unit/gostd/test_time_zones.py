"""Time zones by name: where they are found, and what is said where they are not."""

from __future__ import annotations

import struct
import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import pytest

from rung.golang_migrate.gostd import time_zones
from rung.golang_migrate.gostd.time_zones import ZoneUnknown, load_location

if TYPE_CHECKING:
    from pathlib import Path


def zone_file(name: str, hours: int) -> bytes:
    """A file of the IANA database for a zone that has always had one offset."""
    named = name.encode() + b"\0"
    head = b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, len(named))
    return head + struct.pack(">lBB", hours * 3600, 0, 0) + named


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of two zones, in the second folder that is looked at."""
    folder = tmp_path / "second"
    (folder / "Asia").mkdir(parents=True)
    (folder / "Asia" / "Tokyo").write_bytes(zone_file("JST", 9))
    (folder / "zone.tab").write_text("no zone")
    (folder / "cut").write_bytes(zone_file("JST", 9)[:47])
    system = tmp_path / "localtime"
    system.write_bytes(zone_file("LOC", 5))
    monkeypatch.setattr(time_zones, "_FOLDERS", (str(tmp_path / "first"), str(folder)))
    monkeypatch.setattr(time_zones, "_SYSTEM", str(system))
    monkeypatch.delenv("TZ", raising=False)
    return folder


def shown(zone: tzinfo) -> tuple[str | None, timedelta | None]:
    """What clocks of a zone say of themselves."""
    moment = datetime(2026, 1, 1, tzinfo=zone)
    return moment.tzname(), moment.utcoffset()


@pytest.mark.parametrize("name", ["", "UTC"])
def test_utc(name: str) -> None:
    """No name is UTC."""
    assert load_location(name) is UTC


@pytest.mark.parametrize("name", ["Asia/Tokyo", "Asia//Tokyo", "./Asia/Tokyo"])
def test_names(name: str) -> None:
    """A name is a path below the database, however it is written."""
    assert shown(load_location(name)) == ("JST", timedelta(hours=9))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Mars/Phobos", "unknown time zone Mars/Phobos"),
        ("utc", "unknown time zone utc"),
        ("a b\udcff", "unknown time zone a b\udcff"),
        ("../x", "time: invalid location name"),
        ("a..b", "time: invalid location name"),
        ("/etc/localtime", "time: invalid location name"),
        ("\\x", "time: invalid location name"),
        ("Asia", "is a directory"),
        ("Asia/Tokyo/", "not a directory"),
        ("Asia/Tokyo/x", "not a directory"),
        ("zone.tab", "malformed time zone information"),
        ("cut", "malformed time zone information"),
        ("x" * 300, "file name too long"),
    ],
)
def test_names_that_are_none(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason, in Go's words."""
    monkeypatch.setattr(zoneinfo._tzpath, "TZPATH", ())
    with pytest.raises(ZoneUnknown) as caught:
        load_location(name)

    assert said == str(caught.value)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (None, "LOC"),
        ("Asia/Tokyo", "JST"),
        (":Asia/Tokyo", "JST"),
        ("{folder}/Asia/Tokyo", "JST"),
        ("", "UTC"),
        (":", "UTC"),
        ("UTC", "UTC"),
        ("JST-9", "UTC"),
        ("{folder}/nothing", "UTC"),
    ],
)
def test_local(
    setting: str | None, expected: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TZ says what is local, else the system; what cannot be read is UTC, as in Go."""
    if setting is not None:
        monkeypatch.setenv("TZ", setting.format(folder=database))

    assert shown(load_location("Local"))[0] == expected


def test_pythons_own_database(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zone that only Python knows of is found there."""
    monkeypatch.setattr(time_zones, "_FOLDERS", (str(tmp_path / "first"),))
    monkeypatch.setattr(zoneinfo._tzpath, "TZPATH", (str(database),))
    zoneinfo.ZoneInfo.clear_cache()

    assert shown(load_location("Asia/Tokyo"))[0] == "JST"
