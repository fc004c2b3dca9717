"""What the text formats have that no file of the test data shows: forms of lines, dates, bases, versions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.can.frame_rows import Row, read, rows_of

from kyotsu.can.asc import date_of
from kyotsu.can.frames import Flag

SECOND = 10**6  # [us]


def lines(tmp_path: Path, suffix: str, text: str) -> tuple[list[Row], object]:
    path = tmp_path / f"lines{suffix}"
    path.write_text(text, "utf-8")
    frames, report = read(path)
    assert report.records == len(text.splitlines())
    return rows_of(frames), report


FORMS = {
    "(1637353675.975229) can1 123#1122": Row(1_637_353_675_975_229, 0x123, 0, 1, b"\x11\x22"),
    "(1637353675.975229) can1 123#11.22 T": Row(1_637_353_675_975_229, 0x123, Flag.SENT, 1, b"\x11\x22"),
    "(1637353675.975229) can1 00000123#": Row(1_637_353_675_975_229, 0x123, Flag.EXTENDED, 1, b""),
    "(1637353675.9752294) can1 123#R8": Row(1_637_353_675_975_229, 0x123, Flag.REMOTE, 1, b""),
    "(1637353675.5) can1 123##1112233": Row(
        1_637_353_675_500_000, 0x123, Flag.FD | Flag.BIT_RATE_SWITCH, 1, b"\x11\x22\x33"
    ),
    "(1637353675.5) can1 123##3" + "AB" * 64: Row(1_637_353_675_500_000, 0x123, 8 | 16 | 32, 1, b"\xab" * 64),
    "(1637353675.5) can1 20000004#0008000000000000": Row(1_637_353_675_500_000, 4, Flag.ERROR, 1, b"\0\x08" + bytes(6)),
    "(1637353675.5) can1 123#1122334455667788_C": Row(
        1_637_353_675_500_000, 0x123, 0, 1, b"\x11\x22\x33\x44\x55\x66\x77\x88"
    ),
    "  can1  123   [2]  11 22": Row(0, 0x123, 0, 1, b"\x11\x22"),
    " (012.000500)  can1  123   [2]  11 22": Row(12 * SECOND + 500, 0x123, 0, 1, b"\x11\x22"),
    " (2021-09-12 02:48:34.717133)  can1  1F334455   [1]  11   '.'": Row(
        1_631_414_914_717_133, 0x1F334455, Flag.EXTENDED, 1, b"\x11"
    ),
    " (1637353675.5)  can1  TX B E  123  [03]  11 22 33": Row(
        1_637_353_675_500_000, 0x123, 8 | 16 | 32 | 64, 1, b"\x11\x22\x33"
    ),
    " (1637353675.5)  can1  123   [4]  remote request": Row(1_637_353_675_500_000, 0x123, Flag.REMOTE, 1, b""),
    " (1637353675.5)  can1  20000080   [8]  00 00 00 00 00 00 00 00   ERRORFRAME": Row(
        1_637_353_675_500_000, 0x80, Flag.ERROR, 1, bytes(8)
    ),
}


@pytest.mark.parametrize("line", FORMS)
def test_every_form_of_candump(tmp_path: Path, line: str) -> None:
    rows, report = lines(tmp_path, ".log", line)
    assert rows == [FORMS[line]._replace(flags=int(FORMS[line].flags))]
    assert not report.damages  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    ["(1.x) can0 123#11", "(1.0) can0 12#1", "(1.0) can0 123#1", "(1.0) can0 123#112233445566778899",
     "(1.0) can0 FFF#11", "(1.0) can0 123#11 oh", "(99999999999.0) can0 123#11", "(1.0) can0", "(1.0)",
     "(1.0) can0 123##1" + "11" * 65,
     "(1.0) can0 123456789#11", "(1.0) " + "x" * 40 + " 123#11", "(1.0) can0 FFFFFFFF#11", "can0 123 [9 11"],
)  # fmt: skip
def test_broken_lines_of_candump_are_counted_and_named(tmp_path: Path, line: str) -> None:
    sound = "(1.0) can0 123#11\n"
    rows, report = lines(tmp_path, ".log", f"{sound}{line}\n{sound}")
    assert rows == [Row(SECOND, 0x123, 0, 0, b"\x11")] * 2
    assert report.damaged == 1  # type: ignore[attr-defined]
    assert report.problems[0].location.line == 2  # type: ignore[attr-defined]


def test_interfaces_have_numbers_of_their_own(tmp_path: Path) -> None:
    text = "".join(f"(1.0) {name} 123#11\n" for name in ("can0", "vcan0", "can1", "lin", "can0", "can7"))
    rows, report = lines(tmp_path, ".log", text)
    assert [row.bus for row in rows] == [0, 1, 2, 3, 0, 7]
    assert report.buses == {0: "can0", 1: "vcan0", 2: "can1", 3: "lin", 7: "can7"}  # type: ignore[attr-defined]
    text = "".join(f"(1.0) i{number}x 123#11\n" for number in range(300))
    rows, report = lines(tmp_path, ".log", text)
    assert len(rows) == 255
    assert report.damages == {"interface beyond the 255th": 45}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("date Sat Sep 30 03:06:13.191 pm 2017", datetime(2017, 9, 30, 15, 6, 13, 191_000, UTC)),
        ("date Sat Sep 30 12:06:13 am 2017", datetime(2017, 9, 30, 0, 6, 13, 0, UTC)),
        ("date Mit Mär 1 15:06:13.5 2017", datetime(2017, 3, 1, 15, 6, 13, 500_000, UTC)),
        ("Begin Triggerblock Mo Dez 4 15:06:13.191 2017", datetime(2017, 12, 4, 15, 6, 13, 191_000, UTC)),
        ("date mer. 4 févr. 15:06:13.191 2017", datetime(2017, 2, 4, 15, 6, 13, 191_000, UTC)),
        ("date Sat Foo 30 03:06:13.191 pm 2017", None),
        ("date Sat Sep 31 03:06:13.191 pm 2017", None),
        ("date", None),
    ],
)
def test_dates_of_asc_in_the_words_of_several_languages(words: str, expected: datetime | None) -> None:
    assert date_of(words) == expected


def test_asc_with_decimal_numbers_and_relative_times(tmp_path: Path) -> None:
    text = (
        "date Thu Jan 1 00:00:00 1970\nbase dec  timestamps relative\nno internal events logged\n"
        "0.100000 1 291 Rx d 3 255 16 7\n0.100000 1 Statistic: D 0\n0.100000 2 4660x Tx d 1 10\n0.1 1 100 TxRq d 1 10\n"
    )
    rows, report = lines(tmp_path, ".asc", text)
    assert rows == [Row(100_000, 291, 0, 1, b"\xff\x10\x07"), Row(300_000, 4660, 65, 2, b"\x0a")]
    assert report.ignored["requests to send"] == 1  # type: ignore[attr-defined]
    assert report.clock == "local"  # type: ignore[attr-defined]


def test_trc_with_fd_frames_and_errors(tmp_path: Path) -> None:
    text = (
        ";$FILEVERSION=2.0\n;$STARTTIME=25569.5\n;$COLUMNS=N,O,T,I,d,L,D\n"
        "1 1.500 FE 0123 Rx 9 " + "11 " * 12 + "\n2 2.500 RR 0123 Tx 8\n3 3.5 ER - Rx 5 00 00 00 00 00\n4 4.5 EV text\n"
    )
    rows, report = lines(tmp_path, ".trc", text)
    noon = 12 * 3600 * SECOND
    assert rows == [
        Row(noon + 1_500, 0x123, 8 | 16 | 32, 1, b"\x11" * 12),
        Row(noon + 2_500, 0x123, Flag.REMOTE | Flag.SENT, 1, b""),
        Row(noon + 3_500, 0, Flag.ERROR, 1, b""),
    ]
    assert report.ignored == {"headers": 3, "other events": 1}  # type: ignore[attr-defined]


def test_gvret_with_columns_in_another_order_and_long_frames(tmp_path: Path) -> None:
    text = (
        "Time Stamp,ID,LEN,Bus,Extended,D1,D2\n5,123,2,1,true,1,2,\n6,123,3,1,false,1,2\n7,7,9,1,false"
        + ",AB" * 9
        + "\n"
    )
    rows, report = lines(tmp_path, ".csv", text)
    assert rows == [Row(5, 0x123, 1, 1, b"\x01\x02"), Row(7, 7, Flag.FD, 1, b"\xab" * 9)]
    assert report.damages == {"broken payload": 1}  # type: ignore[attr-defined]
