"""Every DBC file loads, holds what cantools finds in it, and tells each repair with its line."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from tests.can.dbc_files import EXCEPTIONS, cantools_database, dbc_files, differences, text_of

from kyotsu.can.dbc_signals import raw_ranges
from kyotsu.can.matrix import Matrix, Protection, Signal
from kyotsu.can.matrix_files import matrix_of
from kyotsu.errors import Problem

MESSAGE = "BO_ 256 Motor: 8 ECU\n"
SIGNAL = ' SG_ Speed : 0|16@1+ (0.1,-40) [0|0] "km/h" A,B\n'


def read(text: str | bytes, name: str = "test.dbc") -> tuple[Matrix, list[Problem]]:
    content = text.encode() if isinstance(text, str) else text
    matrix, problems = matrix_of(content, name)
    assert matrix is not None, problems
    assert all(problem.severity == "warning" for problem in problems)
    return matrix, problems


def only(text: str) -> tuple[Signal, list[Problem]]:
    """The only signal of the only message."""
    matrix, problems = read(text)
    ((signal,),) = (message.signals for message in matrix.messages)
    return signal, problems


def clean(text: str) -> Matrix:
    matrix, problems = read(text)
    assert problems == []
    return matrix


# --- real files ---


def test_every_file_loads_with_every_frame_and_signal() -> None:
    files = dbc_files()
    assert len(files) > 190
    signals = 0
    for name, content in files.items():
        text = text_of(content)
        matrix, _ = read(content, name.rpartition("/")[2])
        apart = text.count("VECTOR__INDEPENDENT_SIG_MSG:")
        assert len(matrix.messages) == len(re.findall(r"^\s*BO_ \d", text, re.MULTILINE)) - apart, name
        if not apart:
            counted = len(re.findall(r"^\s*SG_ \w+ *(?:m\d*M?|M)? *:", text, re.MULTILINE))
            assert sum(len(message.signals) for message in matrix.messages) == counted, name
            signals += counted
    assert signals > 45_000


def test_small_files_are_as_cantools_finds_them() -> None:
    small = {name: content for name, content in dbc_files().items() if len(content) < 30_000}
    assert len(small) > 100
    compare(small)


@pytest.mark.slow
def test_every_file_is_as_cantools_finds_it() -> None:
    refused, kinds = compare(dbc_files())
    assert kinds == EXCEPTIONS.keys(), "an exception that nothing needs any more"
    assert sum("honda" in name or "acura" in name for name in refused) >= 14


def compare(files: dict[str, bytes]) -> tuple[list[str], set[str]]:
    """Which files cantools refuses, and which of the known differences show in the others; there are no more."""
    refused, kinds = [], set()
    for name, content in files.items():
        database = cantools_database(text_of(content).replace("\r\n", "\n"))
        if database is None:
            refused.append(name)
            continue
        matrix, _ = read(content, name)
        for kind, where in differences(database, matrix):
            assert kind in EXCEPTIONS, (name, kind, where)
            assert re.search(EXCEPTIONS[kind].shows, where), (name, kind, where)
            kinds.add(kind)
    return refused, kinds


def test_the_repairs_of_a_real_file() -> None:
    matrix, problems = read(dbc_files()["opendbc_honda_nissan/honda_bosch_radarless_generated.dbc"], "honda_x.dbc")
    found = {problem.location.line: problem.found for problem in problems}
    assert found[211] == "a comment on a signal of 304 without its name"
    assert found[392].startswith("the id 0x33DA, above 11 bits")
    assert matrix.by_id[0x33DA, True].name == "LKAS_HUD_A"
    assert matrix.by_name["GAS_PEDAL_2"].comment.startswith("Seems to be plat")
    assert len(problems) == 5


# --- what a line says ---


def test_a_message_and_its_signal() -> None:
    matrix = clean('VERSION "1.2"\n\nBS_:\n\nBU_: ECU A B\n\n' + MESSAGE + SIGNAL)
    (message,) = matrix.messages
    assert (message.name, message.frame_id, message.is_extended, message.length) == ("Motor", 256, False, 8)
    assert (message.senders, message.line, matrix.version) == (("ECU",), 7, "1.2")
    assert message.signals == (
        Signal("Speed", 0, 16, scale=0.1, offset=-40.0, unit="km/h", receivers=("A", "B"), line=8),
    )


def test_all_on_one_line() -> None:
    matrix = clean("BU_: ECU " + (MESSAGE + SIGNAL + SIGNAL.replace("Speed", "Torque")).replace("\n", " "))
    assert [signal.name for signal in matrix.messages[0].signals] == ["Speed", "Torque"]


@pytest.mark.parametrize(
    ("order", "expected"), [("0-", (True, True)), ("1+", (False, False)), ("0+", (True, False)), ("1-", (False, True))]
)
def test_byte_order_and_sign(order: str, expected: tuple[bool, bool]) -> None:
    signal, _ = only(MESSAGE + f'SG_ A : 7|8@{order} (1,0) [-1|2.5e1] "" X\n')
    assert (signal.big_endian, signal.signed) == expected
    assert (signal.minimum, signal.maximum) == (-1.0, 25.0)


def test_what_stands_elsewhere_comes_in() -> None:
    matrix = clean(
        MESSAGE
        + SIGNAL
        + 'CM_ "of the bus";\nCM_ BO_ 256 "two\nlines; and a \\"quote\\"";\nCM_ SG_ 256 Speed "fast";\n'
        'BA_DEF_ BO_ "GenMsgCycleTime" INT 0 1000;\nBA_DEF_ SG_ "GenSigStartValue" INT 0 10;\n'
        'BA_DEF_DEF_ "GenMsgCycleTime" 0;\nBA_ "GenMsgCycleTime" BO_ 256 20;\nBA_ "GenSigStartValue" SG_ 256 Speed 7;\n'
        'BO_TX_BU_ 256 : ECU,Other;\nVAL_ 256 Speed 0 "still" 65535 "a \\"fast\\" one" ;\n'
        'VAL_TABLE_ Unused 1 "one" ;\nSIG_GROUP_ 256 Group 1 : Speed;\nEV_ Door: 0 [0|1] "" 0 1 DUMMY A;\n'
    )
    (message,) = matrix.messages
    (signal,) = message.signals
    assert message.comment == 'two\nlines; and a "quote"'
    assert (message.cycle_ms, message.senders, signal.initial) == (20.0, ("ECU", "Other"), 7)
    assert (signal.comment, signal.labels) == ("fast", {0: "still", 65535: 'a "fast" one'})


def test_a_float() -> None:
    signal, problems = only(MESSAGE + 'SG_ A : 0|32@1- (1,0) [0|0] "" X\nSIG_VALTYPE_ 256 A : 1;\n')
    assert (signal.is_float, problems) == (True, [])
    signal, problems = only(MESSAGE + 'SG_ A : 0|31@1- (1,0) [0|0] "" X\nSIG_VALTYPE_ 256 A : 1;\n')
    assert not signal.is_float
    assert [problem.location.line for problem in problems] == [2]


def test_long_names() -> None:
    matrix = clean(
        MESSAGE + SIGNAL + 'BA_ "SystemMessageLongSymbol" BO_ 256 "MotorOfTheFrontAxle";\n'
        'BA_ "SystemSignalLongSymbol" SG_ 256 Speed "SpeedOfTheMotor";\n'
        'BA_ "SystemNodeLongSymbol" BU_ ECU "Controller";\n'
    )
    (message,) = matrix.messages
    assert (message.name, message.senders) == ("MotorOfTheFrontAxle", ("Controller",))
    assert message.signals[0].name == "SpeedOfTheMotor"


@pytest.mark.parametrize(
    ("raw_id", "length", "attributes", "expected"),
    [
        (256, 8, "", (False, "")),
        (256, 64, "", (True, "")),
        (256, 62, "", (False, "isotp")),
        (0x7E8, 64, "", (False, "isotp")),
        (0x18DAF110 | 1 << 31, 64, "", (False, "isotp")),
        (0x98FEE3FE, 40, "", (False, "j1939")),
        (256, 64, 'BA_ "VFrameFormat" BO_ 256 0;', (False, "isotp")),
        (256, 8, 'BA_ "VFrameFormat" BO_ 256 14;', (True, "")),
        (256, 8, 'BA_ "VFrameFormat" BO_ 256 "StandardCAN_FD";', (True, "")),
        (0x8CF00400, 8, 'BA_ "VFrameFormat" BO_ 2364539904 3;', (False, "j1939")),
        (0x8CF00400, 8, 'BA_ "ProtocolType" "J1939";', (False, "j1939")),
        (0x8CF00400, 8, 'BA_DEF_DEF_ "VFrameFormat" "J1939PG";', (False, "j1939")),
        (256, 8, 'BA_DEF_DEF_ "VFrameFormat" "J1939PG";', (False, "")),
        (0x99F80501, 43, 'BA_DEF_DEF_ "VFrameFormat" "J1939PG";', (False, "nmea2000")),
        (256, 20, 'BA_ "CanTpFcFrameId" BO_ 256 257;', (True, "isotp")),
        (256, 8, 'BA_ "KyotsuProtocol" BO_ 256 "isotp";', (False, "isotp")),
        (0x98FEE3FE, 40, 'BA_ "KyotsuProtocol" BO_ 2566841342 "can";', (False, "")),
    ],
)
def test_frame_format_and_protocol(raw_id: int, length: int, attributes: str, expected: tuple[bool, str]) -> None:
    (message,) = clean(f"BO_ {raw_id} A: {length} X\n{attributes}\n").messages
    assert (message.is_fd, message.protocol) == expected


def test_protection_by_attributes() -> None:
    text = MESSAGE + 'SG_ N : 0|4@1+ (1,0) [0|0] "" X\nSG_ S : 8|8@1+ (1,0) [0|0] "" X\n'
    text += 'BA_ "KyotsuCounter" BO_ 256 "N";\nBA_ "KyotsuChecksum" BO_ 256 "S";\n'
    text += 'BA_ "KyotsuChecksumAlgorithm" BO_ 256 "autosar_e2e_p1";\nBA_ "KyotsuChecksumDataId" BO_ 256 258;\n'
    assert clean(text).messages[0].protection == Protection("N", "S", "autosar_e2e_p1", 258)
    matrix, problems = read(text.replace('BO_ 256 "N"', 'BO_ 256 "Nowhere"'))
    assert matrix.messages[0].protection == Protection(None, "S", "autosar_e2e_p1", 258)
    assert [problem.location.key for problem in problems] == ["Motor"]


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("honda_x.dbc", "honda"),
        ("acura_x.dbc", "honda"),
        ("nissan_x.dbc", None),
        ("vw_pq.dbc", "xor8"),
        ("x.dbc", None),
    ],
)
def test_protection_by_names(name: str, algorithm: str | None) -> None:
    text = MESSAGE + 'SG_ COUNTER : 61|2@0+ (1,0) [0|3] "" X\nSG_ CHECKSUM : 59|4@0+ (1,0) [0|15] "" X\n'
    matrix, _ = read(text, name)
    assert matrix.messages[0].protection == Protection("COUNTER", "CHECKSUM", algorithm)


def test_nissan_frames_have_j1850_where_opendbc_makes_it() -> None:
    matrix, _ = read(dbc_files()["opendbc_honda_nissan/nissan_leaf_2018_generated.dbc"], "nissan_leaf.dbc")
    assert matrix.by_name["LKAS"].protection == Protection("COUNTER", "CHECKSUM", "j1850")
    assert matrix.by_name["STEER_TORQUE_SENSOR"].protection == Protection("COUNTER", "CHECKSUM", None)


def test_values_that_are_none() -> None:
    text = MESSAGE + SIGNAL + 'BA_ "KyotsuNotAvailable" SG_ 256 Speed "0xFF00-0xFFFF,7";\n'
    assert clean(text).messages[0].signals[0].not_available == ((7, 7), (0xFF00, 0xFFFF))
    _, problems = read(text.replace("0xFF00-", "much-"))
    assert [problem.location.line for problem in problems] == [2]


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("", ()),
        ("0xFF", ((255, 255),)),
        ("1022-1023,1021", ((1021, 1023),)),
        ("-1", ((-1, -1),)),
        ("-4--2", ((-4, -2),)),
    ],
)
def test_raw_ranges(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert raw_ranges(text) == ranges


@pytest.mark.parametrize("text", ["x", "1-", "3-2", ",", "1,", "9" * 5000])
def test_no_raw_ranges(text: str) -> None:
    assert raw_ranges(text) is None


# --- repairs ---


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("BO_ 2048 A: 8 X\n", 1, "above 11 bits"),
        ("BO_ 4294967295 A: 8 X\n", 1, "the id 4294967295"),
        ("BO_ 1 2A: 8 X\n", 1, "the name '2A'"),
        ("BO_ 1 A: 8\n", 1, "without sender"),
        ("BO_ 1 A:\n", 1, "without length"),
        ("BO_ 1 A: 99999999 X\n", 1, "99999999 bytes"),
        ("BO_ 1 A: 8 X\nBO_ 2 A: 8 X\n", 2, "the name 'A' again"),
        (MESSAGE + SIGNAL.replace("(0.1,-40)", "(.1,-40)"), 2, "(.1,-40)"),
        (MESSAGE + SIGNAL.replace("(0.1,-40)", "(0,1,-40)"), 2, "scale and offset '(0,1,-40)'"),
        (MESSAGE + SIGNAL.replace("(0.1,-40)", "(1e999,0)"), 2, "scale and offset '(1e999,0)'"),
        (MESSAGE + SIGNAL.replace("[0|0]", "[?|?]"), 2, "limits '[?|?]'"),
        (MESSAGE + SIGNAL.replace("@1+", ""), 2, "no byte order"),
        (MESSAGE + SIGNAL.replace("Speed", "0x231"), 2, "the name '0x231'"),
        (MESSAGE + SIGNAL.replace("Speed", "Speed m"), 2, "the multiplexing 'm'"),
        (MESSAGE + SIGNAL.replace("Speed", "Speed m3"), 2, "no multiplexor"),
        (MESSAGE + SIGNAL.replace('"km/h" A,B', ""), 2, "no unit"),
        (MESSAGE + SIGNAL + SIGNAL, 3, "the name 'Speed' again"),
        (MESSAGE + "SG_ Speed : much\n", 2, "SG_ Speed : much"),
        (SIGNAL + MESSAGE, 1, "SG_ Speed"),
        (MESSAGE + 'CM_ SG_ 256 "nameless";\n', 2, "without its name"),
        (MESSAGE + 'CM_ 256 "without BO_";\n', 2, "a comment on 256 alone"),
        (MESSAGE + 'CM_ BO_ 257 "elsewhere";\n', 2, "message 257"),
        (MESSAGE + 'CM_ BO_ 256 "no end"\n', 2, "without ';'"),
        (MESSAGE + 'CM_ BO_ 256 "open;\nCM_ BO_ 256 "closed";\n', 2, "a quote that is not closed"),
        (MESSAGE + SIGNAL + 'VAL_ 256 Other 1 "one" ;\n', 3, "VAL_ of signal 'Other'"),
        (MESSAGE + SIGNAL + "VAL_ 256 Speed Missing ;\n", 2, "the value table 'Missing'"),
        (MESSAGE + SIGNAL.replace("@1+", "@1-") + 'VAL_ 256 Speed 65535 "SNA" ;\n', 2, "labels of 65535"),
        (MESSAGE + SIGNAL + "SIG_VALTYPE_ 256 Other : 1;\n", 3, "SIG_VALTYPE_ of signal 'Other'"),
        (MESSAGE + SIGNAL + 'BA_ "GenSigStartValue" SG_ 256 Speed 0.5;\n', 2, "the start value '0.5'"),
        (MESSAGE + "HELLO world;\n", 2, "HELLO world"),
        (MESSAGE + 'BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX\n' + SIGNAL, 2, "1 signals that no"),
    ],
)  # fmt: skip
def test_a_repair_is_told_with_its_line(text: str, line: int, found: str) -> None:
    matrix, problems = read('VERSION ""\n' + text)
    assert [(problem.location.line, problem.location.file) for problem in problems] == [(line + 1, "test.dbc")], (
        problems
    )
    assert found in problems[0].found
    assert matrix.messages


def test_nothing_else_suffers_from_an_open_quote() -> None:
    matrix, problems = read(
        MESSAGE + SIGNAL + 'CM_ BO_ 256 "open;\nBO_ 257 Next: 8 X\n' + SIGNAL + 'CM_ BO_ 257 "good";\n'
    )
    assert [message.name for message in matrix.messages] == ["Motor", "Next"]
    assert matrix.by_name["Next"].comment == "good"
    assert len(problems) == 1


def test_a_missing_semicolon_costs_no_frame() -> None:
    matrix, _ = read(
        MESSAGE + 'SIG_GROUP_ 256 Group 1 : Speed\nBO_ 257 Next: 8 X\nVAL_ 257 A 1 "one"\nBO_ 258 Last: 8 X\n'
    )
    assert [message.name for message in matrix.messages] == ["Motor", "Next", "Last"]


def test_bit_31_in_one_place_only() -> None:
    matrix, problems = read("BO_ 2147488000 A: 8 X\n" + SIGNAL + 'VAL_ 4352 Speed 1 "one" ;\n')
    assert matrix.messages[0].signals[0].labels == {1: "one"}
    assert len(problems) == 1


def test_value_tables_by_name() -> None:
    matrix = clean('VAL_TABLE_ OnOff 1 "on" 0 "off" ;\n' + MESSAGE + SIGNAL + "VAL_ 256 Speed OnOff ;\n")
    assert matrix.messages[0].signals[0].labels == {0: "off", 1: "on"}


def test_many_repairs_stay_few() -> None:
    _, problems = read(MESSAGE + "nonsense\n" * 50_000)
    assert len(problems) == 10_001
    assert problems[-1].found == "40000 more repairs than the 10000 above"


# --- speed and size ---


def test_a_large_file_is_read_many_times_faster_than_by_cantools() -> None:
    content = dbc_files()["kuksa_mapping/Model3CAN.dbc"]
    text = text_of(content)
    ours = min(seconds(lambda: matrix_of(content, "Model3CAN.dbc")) for _ in range(5))
    theirs = seconds(lambda: cantools_database(text))
    assert ours < theirs / 2.5, f"{ours:.3f} s, cantools {theirs:.3f} s"


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.parametrize(
    "text",
    [
        'CM_ BO_ 1 "' * 60_000,
        'CM_ BO_ 1 "\n' * 60_000,
        'CM_ "\\"\n' * 60_000,
        'EV_ \\"\n' * 60_000,
        "BO_ " * 60_000,
        "SG_ " * 60_000,
        "\n" * 300_000 + "EV_ " + "\n" * 300_000,
        "CM_ " + "\n" * 300_000 + "x",
        "EV_ x\n" * 60_000,
        "BA_DEF_ " * 60_000,
        'VAL_ 1 a ' + '1 "' * 60_000,
        "BU_: " + "x " * 100_000,
        "// comment\n" * 60_000,
        "NS_ :\n" + "\n" * 300_000,
        "x" * 1_000_000,
        "BO_ 1 A: 8 X\n" + "SG_ a m1M : 0|8@1+ (1,0) [0|0] \"\" X\n" * 20_000,
        "BO_ 1 A: 8 X\n" * 20_000,
        "BO_ 1 A: 8 X\n" + "SG_MUL_VAL_ 1 a b " + "1-2, " * 50_000 + ";",
        "BO_ 1 A: 8 X\nSG_ a : 0|1@1+ (" + "1" * 500_000 + ",0) [0|0] \"\" X\n",
        'SG_ a : 0|1@1+ (1,0) [0|0] "' * 30_000,
    ],
    ids=range(20),
)  # fmt: skip
def test_hostile_text_takes_no_longer_than_its_length_asks(text: str) -> None:
    assert seconds(lambda: matrix_of(text.encode(), "hostile.dbc")) < 6.0


@pytest.mark.slow
def test_a_million_signals() -> None:
    lines = []
    for message in range(20_000):
        lines.append(f"BO_ {message % 2048 + (message // 2048 << 12) | 1 << 31} M{message}: 64 X")
        lines += [f' SG_ S{signal} : {8 * signal}|8@1+ (0.5,-10) [-10|100] "km/h" A,B' for signal in range(50)]
    content = "\n".join(lines).encode()
    matrix, problems = read(content)
    assert sum(len(message.signals) for message in matrix.messages) == 1_000_000
    assert not problems


@pytest.mark.slow
def test_a_line_of_a_hundred_million_characters() -> None:
    matrix, problems = matrix_of(b"x" * 100_000_000, "long.dbc")
    assert matrix is None
    assert len(problems[0].found) < 200
