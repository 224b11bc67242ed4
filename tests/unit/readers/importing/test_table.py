"""Any file that a program may have written, and those that nobody should be able to send."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import NewsletterError
from newsletter.readers.importing.table import RECORD, records, seal_of, shape_of
from tests.unit.readers.importing.walking import shaped, surveyed, table

ROWS = [["Email", "Name", "Note"], ["ada@readers.example", "Lovelace, Ada; x", 'said "yes"\nand no']]
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=20)


def written(rows: list[list[str]], delimiter: str, quoting: int, ending: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=ending).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.emails(), cells, cells).map(list), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
)
def test_whatever_separates_quotes_and_encodes_the_rows_are_the_same(
    people: list[list[str]], delimiter: str, quoting: int, ending: str, encoding: str
) -> None:
    rows = [["Email address", "Name of the reader", "Joined"], *people]
    content = written(rows, delimiter, csv.QUOTE_ALL, ending).encode(encoding)
    assert table(content) == rows


@pytest.mark.parametrize("delimiter", ",;\t|")
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_separator_inside_of_quotes_separates_nothing(delimiter: str, quoting: int, encoding: str) -> None:
    assert table(written(ROWS, delimiter, quoting, "\r\n").encode(encoding)) == ROWS


def test_a_spreadsheet_may_say_its_separator() -> None:
    assert table("sep=;\r\nemail;a,b\r\nada@readers.example;1,2\r\n") == [
        ["email", "a,b"],
        ["ada@readers.example", "1,2"],
    ]


def test_single_quotes_and_backslashes_are_found_out() -> None:
    assert table("'email','name'\n'ada@readers.example','a, b'\n")[1] == ["ada@readers.example", "a, b"]
    assert table('email,name\nada@readers.example,"the \\"first\\" one, she"\n')[1][1] == 'the "first" one, she'


def test_a_column_alone_needs_no_separator() -> None:
    assert table("ada@readers.example\nbob@readers.example\n") == [["ada@readers.example"], ["bob@readers.example"]]


def test_lines_may_end_as_on_old_macs_and_blank_ones_are_none() -> None:
    assert table("email,n\rada@readers.example,1\r\r\rbob@readers.example,2") == [
        ["email", "n"],
        ["ada@readers.example", "1"],
        ["bob@readers.example", "2"],
    ]


def test_what_is_not_utf_8_is_read_as_latin_1() -> None:
    content = "email,nom\nada@readers.example,Zoë\n".encode("cp1252")
    assert table(content)[1][1] == "Zoë"
    assert shaped(content).encoding == "cp1252"


def test_one_byte_that_is_not_utf_8_far_behind_is_found() -> None:
    assert seal_of([b"email\n", b"ada@readers.example\n" * 5000, b"\xe9"], "list.csv")[1] == "cp1252"
    assert seal_of(["é".encode()[:1], "é".encode()[1:]], "list.csv")[1] == "utf-8"  # split between two blocks
    assert seal_of(["é".encode()[:1]], "list.csv")[1] == "cp1252"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04" + b"x" * 100, "R120"),
        (b"\x1f\x8b" + b"x" * 100, "R120"),
        (b"\0" * 5000, "R120"),
        (b"email\0\0\0\0\0\0\0\0\0\0\0\0,x\n" * 20, "R120"),
        (b"\xff\xfe\x00\xd8\x41\x00", "R120"),  # half of a surrogate pair
        (bytes(range(256)) * 20, "R120"),
    ],
)
def test_what_is_no_text_is_refused_with_a_reason(content: bytes, code: str) -> None:
    with pytest.raises(NewsletterError) as refusal:
        table(content)
    assert refusal.value.problems[0].code == code


def test_a_quote_that_is_never_closed_is_told_with_its_line() -> None:
    content = 'email,note\nada@readers.example,"a note\n' + "bob@readers.example,x\n" * 10_000
    with pytest.raises(NewsletterError) as refusal:
        table(content)
    assert refusal.value.problems[0].code == "R122"
    assert "quotation mark" in refusal.value.problems[0].why


def test_quotes_that_do_not_fit_together_swallow_no_row_unseen() -> None:
    people = 'ada@readers.example,"fine"\nbob@readers.example,"a\ncleo@readers.example,"b\ned@readers.example,c\n'
    content = f"email,note\n{people}"
    assert table(content)[1:] == [["ada@readers.example", "fine"], [], ["ed@readers.example", "c"]]
    faults = [entry.fault for entry in surveyed(content)[1]]
    assert faults == ["", "its quotation marks do not fit together", ""]


def test_a_hundred_thousand_blank_lines_are_no_row() -> None:
    assert len(table("email\nada@readers.example\n" + "\n" * 100_000 + "bob@readers.example\n")) == 3


def test_a_row_without_an_end_is_not_read_to_it() -> None:
    endless = io.BytesIO(b"a," * 10_000_000)
    with pytest.raises(NewsletterError, match="R122"):
        list(records(endless, shape_of("a,b\n", "utf-8"), "list.csv"))
    assert endless.closed or endless.tell() < 5 * RECORD


def test_a_zero_inside_of_a_cell_is_a_character_like_others() -> None:
    assert table("email,name\nada@readers.example,a\n" + "x@readers.example,y\n" * 200 + "a\0b@readers.example,z\n")[
        -1
    ] == [
        "a\0b@readers.example",
        "z",
    ]
