"""The forms of DBC's statements, strict and loose, as patterns that look at a character a few times at most.

Repetition is possessive. An opening quote that is never closed is searched for once: any later quote that could open
a string would have closed it. Blank and tilde in `_pattern` stand for any and for some white space.
"""

from __future__ import annotations

import re

# Statements of the format that say nothing about bits.
SKIPPED = [
    "NS_DESC_", "CAT_DEF_", "CAT_", "FILTER", "EV_", "EV_DATA_", "ENVVAR_DATA_", "SGTYPE_", "SGTYPE_VAL_", "BA_SGTYPE_",
    "BA_DEF_SGTYPE_", "SIG_TYPE_REF_", "SIG_GROUP_", "SIGTYPE_VALTYPE_", "BA_REL_", "BA_DEF_REL_", "BA_DEF_DEF_REL_",
    "BU_SG_REL_", "BU_EV_REL_", "BU_BO_REL_",
]  # fmt: skip
_READ = [
    "VERSION", "NS_", "BS_", "BU_", "BO_", "SG_", "CM_", "VAL_", "VAL_TABLE_", "BA_", "BA_DEF_", "BA_DEF_DEF_",
    "SIG_VALTYPE_", "SG_MUL_VAL_", "BO_TX_BU_",
]  # fmt: skip
ANY = "(?:" + "|".join(sorted([*SKIPPED, *_READ], key=len, reverse=True)) + r")\b"

STRING = r'"((?:[^"\\]++|\\"?+)*+)"'
QUIET = r'"(?:[^"\\]++|\\"?+)*+"'
NUMBER = r"[+-]?(?:\d++\.?\d*+)(?:[eE][+-]?\d++)?+"
WHOLE = r"-?\d{1,20}+"
NAME = r"[A-Za-z_]\w*+"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(" ", r"\s*+").replace("~", r"\s++"), re.ASCII)


NEXT = re.compile(r"\s*+(?://[^\n]*+\s*+)*+([A-Za-z_]\w*+|\S)?+", re.ASCII)
REST = re.compile(rf"(?:\S++|[^\S\n]++(?!{ANY}))*+", re.ASCII)  # of a line, up to a statement in it
STATEMENT = re.compile(rf'(?:[^";\n\\]++|\\"?+|{QUIET}|\n(?![^\S\n]*+{ANY}))*+(;?)', re.ASCII)
SWALLOWED = re.compile(rf"\n[^\S\n]*+{ANY}", re.ASCII)

VERSION = _pattern(rf"VERSION {STRING} (;?)")
SYMBOLS = re.compile(r"NS_\s*+:[^\S\n]*+(?:\n[^\S\n]*+\w*+[^\S\n]*+(?=\n))*+", re.ASCII)
SPEED = re.compile(r"BS_\s*+:?[^\n]*+", re.ASCII)
NODES = re.compile(rf"BU_\s*+:?(?:\s*+(?!{ANY})[^\s;:]++)*+\s*+;?", re.ASCII)
MESSAGE = re.compile(rf"BO_\s++(\d{{1,10}}+)\s++({NAME})\s*+:\s*+(\d{{1,6}}+)[^\S\n]++({NAME})", re.ASCII)
LOOSE_MESSAGE = re.compile(r"BO_\s++(\w++)\s++([^\s:]++)\s*+:?[^\S\n]*+(\d{0,9}+)[^\S\n]*+([^\s;]*+)")
SIGNAL = re.compile(
    rf"SG_\s++({NAME})(?:\s++(M|m\d{{1,20}}+M?))?+\s*+:\s*+(\d{{1,7}}+)\s*+\|\s*+(\d{{1,7}}+)\s*+@\s*+([01])\s*+([+-])"
    rf"\s*+\(\s*+({NUMBER})\s*+,\s*+({NUMBER})\s*+\)\s*+\[\s*+({NUMBER})\s*+\|\s*+({NUMBER})\s*+\]"
    r'\s*+"((?:[^"\\\n]++|\\"?+)*+)"\s*+(\w++(?:\s*+,\s*+\w++)*+)[^\S\n]*+(?:(?=\n)|\Z|(?=SG_\s)|(?=BO_\s))',
    re.ASCII,
)
LOOSE_SIGNAL = re.compile(
    r"SG_\s++([^\s:]++)(?:[^\S\n]++([^\s:]++))?+[^\S\n]*+:\s*+(\d{1,7}+)\s*+\|\s*+(\d{1,7}+)\s*+"
    r"(?:@\s*+([01])\s*+([+-])?+)?+",
    re.ASCII,
)
FACTORS = re.compile(r"[^\S\n]*+\(([^()\n]*+)\)")
LIMITS = re.compile(r"[^\S\n]*+\[([^\[\]\n]*+)\]")
UNIT = re.compile(r'[^\S\n]*+"((?:[^"\\\n]++|\\"?+)*+)"')
RECEIVERS = re.compile(r"[^\n;]*?(?=\n|\Z|;|(?<=\s)SG_\s|(?<=\s)BO_\s|//)")
COMMENT = _pattern(rf"CM_(?:~(SG_)~(\d{{1,10}}+)~(\w++)|~(BO_)~(\d{{1,10}}+)|~(?:BU_|EV_)~(\w++))?+ {STRING} (;?)")
NAMELESS_COMMENT = _pattern(rf"CM_~(?:(SG_|BO_)~)?+(\d{{1,10}}+)(?:~([^\s\";]++))?+ {STRING} (;?)")
PAIR = re.compile(rf'\s*+({WHOLE})(?:\.0*+)?+\s*+"((?:[^"\\]++|\\"?+)*+)"', re.ASCII)
PAIRS = rf"((?: {WHOLE}(?:\.0*+)?+ {QUIET})*+) (;?)"
LABELS = _pattern(rf"VAL_~(\d{{1,10}}+)~(\w++){PAIRS}")
TABLE_LABELS = _pattern(rf"VAL_~(\d{{1,10}}+)~(\w++)~({NAME}) (;)")
TABLE = _pattern(rf"VAL_TABLE_~(\w++){PAIRS}")
DEFINITION = _pattern(rf"BA_DEF_(?:~(?:BU_|BO_|SG_|EV_))?+ {STRING} (\w++)((?: ,? (?:{QUIET}|{NUMBER}))*+) (;?)")
DEFAULT = _pattern(rf"BA_DEF_DEF_ {STRING} (?:{STRING}|({NUMBER})) (;?)")
ATTRIBUTE = _pattern(
    rf"BA_ {STRING}(?: (SG_)~(\d{{1,10}}+)~(\w++)| (BO_)~(\d{{1,10}}+)| (BU_|EV_)~(\w++))?+"
    rf" (?:{STRING}|({NUMBER})) (;?)"
)
FLOAT = _pattern(r"SIG_VALTYPE_~(\d{1,10}+)~(\w++) :? ([0-3]) (;?)")
MULTIPLEXING = _pattern(r"SG_MUL_VAL_~(\d{1,10}+)~(\w++)~(\w++)((?: ,? \d{1,20}+ - \d{1,20}+)+) (;?)")
RANGE = re.compile(r"(\d++)\s*+-\s*+(\d++)", re.ASCII)
SENDERS = _pattern(r"BO_TX_BU_~(\d{1,10}+) :? (\w++(?: ,? \w++)*+) (;?)")

LOOSE_NUMBER = re.compile(r"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?+", re.ASCII)

ENVIRONMENT = re.compile(rf"VAL_\s++{NAME}\s", re.ASCII)
SEPARATORS = re.compile(r"[\s,]+")
PLAIN_NAME = re.compile(NAME, re.ASCII)
MARKER = re.compile(r"M|m\d{1,20}M?", re.ASCII)
BARE_POINT = re.compile(r"(?<!\d)\.")
