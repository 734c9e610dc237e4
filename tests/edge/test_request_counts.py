"""Lines of nginx, counted: the rules, and the file that they are read from."""

import os
from pathlib import Path

import pytest

from service.edge_metrics import request_file
from service.edge_metrics.request_counts import BUCKETS, RequestCounts
from service.edge_metrics.request_file import CHUNK_BYTES, RequestFile

LINE = b"@vestibule,GET,200,0.004,-,PASSED,,,\n"


def counted(*lines: bytes) -> list[str]:
    """Return the series of these lines that are not zero."""
    counts = RequestCounts()
    counts.add(lines)
    return [
        line for line in counts.text().splitlines() if line[0] not in "#<" and not line.endswith((" 0", " 0.0", "-->"))
    ]


def test_a_request_falls_into_its_bucket() -> None:
    """A bound belongs to its bucket; what took longer than all of them is in +Inf alone."""
    series = "".join(
        counted(b"@wiki,GET,200,0.005,-,-,,,", b"@wiki,GET,200,0.006,-,-,,,", b"@wiki,GET,200,61.000,-,-,,,")
    )

    for bound, times in [("0.005", 1), ("0.01", 2), ("10", 2), ("+Inf", 3)]:
        assert f'_bucket{{app="wiki",le="{bound}"}} {times}' in series
    assert '_sum{app="wiki"} 61.011' in series
    assert len(BUCKETS) == 11


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"@vestibule,GET,200,0.004,-,PASSED",
        b"@vestibule,GET,20",
        b"@vest@vestibule,GET,200,0.004,-,PASSED,,,",
        b"@vestibule,GET,200,0.0@vestibule,GET,200,0.004,-,PASSED,,,",
        b"@vestibule,get,200,0.004,-,PASSED,,,",
        b'@a"b,GET,200,0.004,-,PASSED,',
        b"@vestibule,GET,200,0.004,-,PASSED,1,1,1",
        b"@wiki,GET,200,0.004,-,-,,shut,0.001",
        b"@wiki,GET,200,0.004,-,-,,allowed,0.001,",
    ],
)
def test_what_is_no_whole_line_is_not_counted(line: bytes) -> None:
    """A full disk cuts lines off, and the next one begins right behind: neither becomes a label."""
    assert counted(line) == []


def test_a_request_without_app_or_status_has_a_place() -> None:
    """It ended before nginx knew its app, or before an answer began: it belongs to our pages, and to 000."""
    first, *_ = counted(b"@,OTHER,000,1.000,-,-,,,")
    second, *_ = counted(b"@,GET,009,0.000,-,-,,,")

    assert first == 'vestibule_edge_requests_total{app="vestibule",method="OTHER",status="000"} 1'
    assert second == 'vestibule_edge_requests_total{app="vestibule",method="GET",status="000"} 1'


def test_an_app_cannot_call_its_errors_shed() -> None:
    """The mark of the hashing gate counts for the service's own answers alone."""
    assert [line for line in counted(b"@wiki,POST,503,0.004,-,-,1,,") if "limited" in line] == []
    assert [line for line in counted(b"@vestibule,POST,503,0.004,-,-,1,,") if "limited" in line] == [
        'vestibule_edge_limited_total{limit="hashing_gate"} 1'
    ]


def test_an_app_is_seen_with_every_outcome() -> None:
    """From an app's first request on, outcomes of the door and usual statuses have series: a failure is an increase."""
    counts = RequestCounts()
    counts.add([b"@wiki,GET,200,0.009,-,-,,allowed,0.007", b"@wiki,GET,200,0.001,-,-,,cached,"])

    text = counts.text()
    for outcome, times in (("allowed", 1), ("cached", 1), ("failed", 0), ("refused", 0)):
        assert f'vestibule_edge_door_checks_total{{app="wiki",outcome="{outcome}"}} {times}\n' in text
    assert 'vestibule_edge_requests_total{app="wiki",method="GET",status="503"} 0\n' in text
    assert 'vestibule_edge_door_duration_seconds_bucket{le="0.001"} 1\n' in text
    assert 'vestibule_edge_door_duration_seconds_bucket{le="0.01"} 2\n' in text
    assert "vestibule_edge_door_duration_seconds_sum 0.007\n" in text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file, made by nginx."""
    made = tmp_path / "requests.count"
    made.touch()
    return made


def append(path: Path, data: bytes) -> None:
    """Write as nginx does."""
    with path.open("ab") as file:
        file.write(data)


def taken(file: RequestFile) -> list[bytes]:
    """Read everything, and give it back."""
    lines = [line for some in file.lines() for line in some if line]
    file.give_back()
    return lines


def test_each_line_is_read_once_and_when_it_is_whole(path: Path) -> None:
    """What nginx has written in part is read when the rest is there."""
    file = RequestFile(str(path))
    append(path, LINE * 2 + b"@vestibule,GE")

    first = taken(file)
    append(path, b"T,404,0.000,-,-,,,\n")

    assert first == [LINE[:-1]] * 2
    assert (taken(file), taken(file)) == ([b"@vestibule,GET,404,0.000,-,-,,,"], [])


def test_the_next_process_goes_on_where_this_one_ended(path: Path) -> None:
    """Lines that were read are read by no other process, lines that came meanwhile are."""
    file = RequestFile(str(path))
    append(path, LINE * 5000)
    assert len(taken(file)) == 5000
    file.close()
    append(path, b"@wiki,GET,200,0.000,-,-,,,\n")
    second = RequestFile(str(path))

    assert taken(second) == [b"@wiki,GET,200,0.000,-,-,,,"]
    second.close()
    assert taken(RequestFile(str(path))) == []


def test_what_was_read_takes_no_space(path: Path) -> None:
    """However long the file gets, at most some blocks of it are on the disk."""
    file = RequestFile(str(path))
    for _ in range(40):
        append(path, LINE * 5000)
        assert len(taken(file)) == 5000

    assert path.stat().st_size > 6_000_000
    assert path.stat().st_blocks * 512 <= 2 * 65536


def test_a_link_is_not_followed(path: Path) -> None:
    """What is read is erased: a link could lead to any file, and root may have been asked to count."""
    append(path, LINE)
    (path.parent / "link").symlink_to(path)

    with pytest.raises(OSError, match="link"):
        RequestFile(str(path.parent / "link"))
    assert path.read_bytes() == LINE


@pytest.mark.parametrize("fallocate", [None, lambda *_: -1])
def test_without_holes_the_file_is_emptied(path: Path, monkeypatch: pytest.MonkeyPatch, fallocate: object) -> None:
    """Where the system or the file system cannot free a part of a file, it is emptied as soon as all is read."""
    monkeypatch.setattr(request_file, "_FALLOCATE", fallocate)
    file = RequestFile(str(path))
    append(path, LINE * 3)
    first = len(taken(file))
    empty = path.stat().st_size
    append(path, LINE * 2)

    assert (first, empty, len(taken(file))) == (3, 0, 2)


def test_a_file_that_an_operator_empties_or_removes_is_read_on(path: Path) -> None:
    """An emptied file is read from its beginning; of a removed one nginx's next is noticed."""
    file = RequestFile(str(path))
    append(path, LINE * 3)
    taken(file)
    os.truncate(path, 0)
    append(path, LINE)
    emptied = len(taken(file))
    path.unlink()
    removed = file.is_replaced()
    append(path, LINE)

    assert (emptied, removed, file.is_replaced()) == (1, False, True)


def test_a_backlog_is_read_in_parts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for long, as after a day without a reader, holds up no scrape: each pass reads some megabytes."""
    monkeypatch.setattr(request_file, "CHUNKS_AT_ONCE", 2)
    file = RequestFile(str(path))
    append(path, LINE * (CHUNK_BYTES * 3 // len(LINE)))

    parts = [len(taken(file)) for _ in range(3)]

    assert parts[0] > parts[1] > parts[2] == 0
    assert sum(parts) == CHUNK_BYTES * 3 // len(LINE)
