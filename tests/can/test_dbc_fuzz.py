"""Whatever bytes a file has: a matrix or one clear error, in bounded time and memory, and never another exception."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.can.dbc_files import dbc_files

from kyotsu.can.dbc_writer import dbc_text
from kyotsu.can.matrix_checks import check_matrix
from kyotsu.can.matrix_files import matrix_of
from kyotsu.errors import InputError

# Small files with every kind of statement.
SEEDS = (
    "dbc/socialledge.dbc", "dbc/foobar.dbc", "dbc/long_names.dbc",
    "dbc/multiplex_2.dbc", "dbc/issue_184_extended_mux_cascaded.dbc", "dbc/relation_attributes.dbc", "dbc/fd_test.dbc",
    "dbc/floating_point.dbc", "dbc/sig_groups.dbc", "css_electronics/tp_nmea.dbc", "css_electronics/tp_uds.dbc",
    "dbc/attributes.dbc", "dbc/abs.dbc",
)  # fmt: skip
WORDS = st.sampled_from([
    "BO_ ", "SG_ ", "CM_ ", "VAL_ ", "BA_ ", "SG_MUL_VAL_ ", "BA_DEF_ ", "SIG_VALTYPE_ ", "BU_:", "NS_ :",
    '"', '\\"', ";", "\n",
    "\\", "(", ")", "[", "|", "@", ":", ",", "m1M ", "M ", "1e999", "-", "99999999999999999999", "4294967295", "\r",
    "\0", "é", "//",
])  # fmt: skip
SUFFIXES = st.sampled_from(["a.dbc", "honda_a.dbc", "a.kcd", "a.sym", "a.arxml", "a"])


def survives(content: bytes, name: str) -> None:
    """Read, check and write; nothing but an `InputError` may come out."""
    matrix, problems = matrix_of(content, name)
    assert all(str(problem) for problem in problems)
    if matrix is None:
        assert any(problem.severity == "error" for problem in problems)
        return
    for message in matrix.messages:
        assert len({signal.name for signal in message.signals}) == len(message.signals)
        for signal in message.signals:
            assert signal.length >= 1
            assert signal.multiplexor is None or signal.multiplexor in message.by_name
    assert len(matrix.by_name) == len(matrix.messages)
    check_matrix(matrix)
    try:
        text = dbc_text(matrix)
    except InputError:
        return
    again, _ = matrix_of(text.encode("utf-8", "replace"), name.rpartition(".")[0] + ".dbc")
    assert again is not None
    assert [message.frame_id for message in again.messages] == [message.frame_id for message in matrix.messages]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    files = dbc_files()
    text = files[draw(st.sampled_from(SEEDS))].decode("latin-1")
    for _ in range(draw(st.integers(1, 6))):
        first = draw(st.integers(0, len(text)))
        last = min(len(text), first + draw(st.sampled_from([0, 0, 1, 3, 40, 2000])))
        piece = draw(st.lists(WORDS, max_size=4).map("".join) | st.just(text[first:last] * 3))
        text = text[:first] + piece + text[last:]
    return text.encode("latin-1", "replace")


@given(mutated(), SUFFIXES)
@settings(max_examples=150)
def test_mutated_files(content: bytes, name: str) -> None:
    survives(content, name)


@given(st.binary(max_size=400) | st.lists(WORDS, max_size=60).map(lambda words: "".join(words).encode()), SUFFIXES)
@settings(max_examples=200)
def test_any_bytes(content: bytes, name: str) -> None:
    survives(content, name)


@pytest.mark.parametrize("cut", range(0, 100, 7))
def test_truncated_files(cut: int) -> None:
    content = dbc_files()["dbc/socialledge.dbc"]
    survives(content[: len(content) * cut // 100], "a.dbc")


ATHERIS = """
import sys
import atheris
with atheris.instrument_imports(include=["kyotsu.can"]):
    from tests.can.test_dbc_fuzz import survives
atheris.Setup([sys.argv[0], *sys.argv[1:]], lambda data: survives(data, "honda_a.dbc"))
atheris.Fuzz()
"""


@pytest.mark.slow
def test_guided_by_coverage(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("no atheris here")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, name in enumerate(SEEDS):
        (corpus / str(number)).write_bytes(dbc_files()[name])
    script = tmp_path / "fuzz.py"
    script.write_text(ATHERIS)
    root = Path(__file__).resolve().parents[2]
    limits = ["-max_total_time=10", "-runs=20000", "-timeout=10", "-rss_limit_mb=2048", "-max_len=20000"]
    run = subprocess.run(
        [sys.executable, str(script), str(corpus), *limits],
        cwd=tmp_path, env={"PYTHONPATH": f"{root / 'src'}:{root}"}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    assert "DONE" in run.stderr or "Done" in run.stderr
