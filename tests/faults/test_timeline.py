"""Times are read from the timeline of the ledger."""

from pathlib import Path

from nemesis.timeline import Second, drained_at, first_with, read, total


def rows_of(sent: list[int], saved: list[int]) -> list[Second]:
    return [Second(at, one, 0, 0, two, 0, 0, 0)
            for at, (one, two) in enumerate(zip(sent, saved, strict=True))]


def test_the_backlog_is_drained_when_two_second_old_messages_are_saved():
    assert drained_at(rows_of([10] * 8, [10, 10, 0, 0, 0, 15, 25, 10]), 4) == 6


def test_a_message_that_is_never_saved_is_never_drained():
    assert drained_at(rows_of([10] * 8, [10, 10, 0, 0, 0, 5, 5, 5]), 4) is None


def test_the_first_second_with_a_saved_message_is_found():
    rows = rows_of([10] * 5, [10, 0, 0, 3, 10])
    assert first_with(rows, 1, "saved") == 3
    assert first_with(rows, 5, "saved") is None


def test_a_timeline_is_read_row_by_row(tmp_path: Path):
    file = tmp_path / "timeline.csv"
    file.write_text("second,sent,acked,acked_after_5s,saved,received,retryable_errors,connects\n"
                    "7,4,3,2,1,0,0,0\n8,5,5,5,5,0,0,0\n")
    assert total(read(file), lambda row: row.second > 7, "sent") == 5
