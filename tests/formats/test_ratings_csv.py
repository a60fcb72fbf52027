"""What a person who hands in a table of ratings gets: the rows, or where and why it cannot be read."""

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.formats.ratings_csv import Rating, UnreadableRatings, read


def rows_of(content, columns=None):
    content = content.encode() if isinstance(content, str) else content
    return list(read(io.BytesIO(content), "r.csv", columns))


def test_the_plain_table_is_read_row_by_row():
    assert rows_of("item_id,rater_id,label\n1,ada,Yes\n1,bob,No\n") == [
        Rating("1", "ada", "Yes", 1, None),
        Rating("1", "bob", "No", 1, None),
    ]


def test_occasion_cluster_and_columns_in_any_order_with_others_between_are_read():
    content = "note,cluster,label,occasion,rater_id,item_id\nx,p1,Yes,2,ada,1\n,,No,1,bob,2\n"
    assert rows_of(content) == [Rating("1", "ada", "Yes", 2, "p1"), Rating("2", "bob", "No", 1, None)]


def test_a_column_with_another_name_is_found_by_that_name():
    content = "item_id,rater_id,label,severity\n1,ada,x,-2\n"
    assert rows_of(content, {"label": "severity"}) == [Rating("1", "ada", "-2", 1, None)]


def test_an_empty_label_is_a_missing_rating_and_nothing_else_is_trimmed():
    content = "item_id,rater_id,label\n1,ada,\n1,bob, \n1,eve, Yes \n"
    assert [row.label for row in rows_of(content)] == [None, None, " Yes "]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_windows_line_ends_and_blank_lines_change_nothing(mark, end):
    content = mark + end.join([b"item_id,rater_id,label", b"", b'1,ada,"caf\xc3\xa9, yes"', b""])
    assert rows_of(content) == [Rating("1", "ada", "café, yes", 1, None)]


HEADER = "item_id,rater_id,label\n"


@pytest.mark.parametrize(
    ("content", "columns", "says"),
    [
        ("", None, "r.csv, line 1, item_id: expected a column of this name, got none"),
        (
            "item,rater_id,label\n",
            None,
            "line 1, item_id: expected a column of this name, got item, rater_id, label",
        ),
        (HEADER, {"label": "severity"}, "line 1, severity: expected a column of this name"),
        (HEADER, {"cluster": "prompt"}, "line 1, prompt: expected a column of this name"),
        (
            HEADER,
            {"lable": "x"},
            "line 1, lable: expected one of item_id, rater_id, label, occasion, cluster",
        ),
        (
            "item_id,rater_id,label,label\n",
            None,
            "line 1, label: expected one column of this name, got several",
        ),
        (HEADER + "1,ada,Yes\n1,bob\n", None, "r.csv, line 3: expected 3 cells, got 2"),
        (HEADER + "1,ada,Yes,No\n", None, "line 2: expected 3 cells, got 4"),
        (HEADER + ",ada,Yes\n", None, "line 2, item_id: expected an id, got an empty cell"),
        (HEADER + "1, ,Yes\n", None, "line 2, rater_id: expected an id, got an empty cell"),
        ("i,rater_id,label\n,ada,Yes\n", {"item_id": "i"}, "line 2, i: expected an id, got an empty cell"),
        (
            "item_id,rater_id,label,occasion\n1,ada,Yes,first\n",
            None,
            "line 2, occasion: expected a whole number",
        ),
        ("item_id,rater_id,label,occasion\n1,ada,Yes,\n", None, "line 2, occasion: expected a whole number"),
        (
            "item_id,rater_id,label,cluster\n1,ada,Yes,p\n1,bob,Yes,q\n",
            None,
            "line 3, cluster: expected 'p' as before for this item, got 'q'",
        ),
        (HEADER + '1,ada,"Y\nes"\n1,bob,"No\n', None, "line 4: expected CSV"),
        (HEADER.encode() + b"1,ada,Yes\n1,b\xf6b,No\n", None, "r.csv, line 3: expected UTF-8, byte 4 is not"),
        ((HEADER + "1,ada,Yes\n").encode("utf-16"), None, "line 1: expected UTF-8"),
    ],
)
def test_what_cannot_be_read_is_named_by_file_line_column_and_what_was_expected(content, columns, says):
    with pytest.raises(UnreadableRatings) as caught:
        rows_of(content, columns)
    assert says in str(caught.value)
    assert caught.value.file == "r.csv"


@given(st.binary())
def test_any_bytes_give_ratings_or_one_sentence_and_no_other_error(junk):
    for content in (junk, HEADER.encode() + junk):
        with suppress(UnreadableRatings):
            assert all(isinstance(row, Rating) for row in rows_of(content))


words = st.text(" ,;\"'\n\r\t\ufeff\u2028aé\U0001d6fc", min_size=1, max_size=8).filter(
    lambda word: word.strip()
)


@given(st.lists(st.tuples(words, words, words)))
def test_what_was_written_as_csv_is_read_back_unchanged(rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("item_id", "rater_id", "label"), *rows])
    assert [(row.item_id, row.rater_id, row.label) for row in rows_of(text.getvalue())] == rows
