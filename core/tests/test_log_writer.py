"""Lines of the log are written in a thread, so that a destination that takes none holds nobody up."""

import logging
import os
import select
import threading
import time

import pytest

from portula.host import log_writer
from portula.host.log_writer import BackgroundWriter, DescriptorHandler


@pytest.fixture
def pipe():
    """Return the two ends of a pipe, as streams of text."""
    reads, writes = os.pipe()
    with os.fdopen(reads) as reader, os.fdopen(writes, "w", closefd=True) as writer:
        yield reader, writer


def logging_to(handler):
    log = logging.Logger("test")  # noqa: LOG001 - apart from those of the process
    log.addHandler(handler)
    return log


def test_lines_come_in_their_order_and_all_of_them_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(log_writer, "LAST_SECONDS", 30.0)
    file = tmp_path / "log"
    writer = BackgroundWriter(logging.FileHandler(file))
    log = logging_to(writer)
    for number in range(100):
        log.warning("line %d", number)
    writer.close()
    assert file.read_text().splitlines() == [f"line {number}" for number in range(100)]


def test_a_closed_stream_stops_no_writer(tmp_path, monkeypatch):
    monkeypatch.setattr(log_writer, "LAST_SECONDS", 30.0)
    file = tmp_path / "log"
    stream = file.open("w")
    handler = DescriptorHandler(stream)
    writer = BackgroundWriter(handler)
    log = logging_to(writer)
    stream.close()
    log.warning("lost")
    for _ in range(1000):
        if writer._not_written:
            break
        time.sleep(0.01)
    with file.open("a") as handler.stream:
        log.warning("written")
        writer.close()
    assert file.read_text() == "1 lines of the log were dropped\nwritten\n"


def test_a_destination_that_takes_nothing_holds_nobody_up_and_what_was_dropped_is_said(pipe, monkeypatch):
    monkeypatch.setattr(log_writer, "MOST_LINES", 50)
    reader, end = pipe
    writer = BackgroundWriter(DescriptorHandler(end))
    log, done = logging_to(writer), threading.Event()

    def log_on_and_on():
        for _ in range(500):
            log.warning("x" * 1000)
        done.set()

    threading.Thread(target=log_on_and_on, daemon=True).start()
    assert done.wait(30), "who logs waits for the destination"
    dropped, first = 0, [reader.readline() for _ in range(50)]
    assert set(first) == {"x" * 1000 + "\n"}
    while dropped < 300:  # there is room again, once or twice: the writer may begin late
        log.warning("y")
        line = reader.readline()
        dropped += int(line.split()[0]) if "dropped" in line else 0
    while line != "end\n":
        log.warning("end")
        line = reader.readline()
    writer.close()


def test_a_handler_that_is_closed_twice_is_closed(tmp_path):
    destination = logging.FileHandler(tmp_path / "log")
    writer = BackgroundWriter(destination)
    logging_to(writer).warning("a line")
    writer.close()
    writer.close()
    assert destination.stream is None
    assert (tmp_path / "log").read_text() == "a line\n"


def test_lines_of_two_writers_stay_whole_where_the_reader_is_slow(pipe):
    reader, end = pipe
    writers = [BackgroundWriter(DescriptorHandler(end)) for _ in range(2)]
    wanted = [f"{name}{number:04} {name * 150}" for name in "ab" for number in range(600)]
    for name, writer in zip("ab", writers, strict=True):
        log = logging_to(writer)
        for line in wanted:
            if line.startswith(name):
                log.warning(line)
    time.sleep(0.2)  # both wait for the pipe, which holds a part of it
    found = [reader.readline().rstrip("\n") for _ in wanted]
    assert sorted(found) == wanted
    for writer in writers:
        writer.close()


def test_a_line_longer_than_a_pipe_keeps_whole_is_written(pipe):
    reader, end = pipe
    writer = BackgroundWriter(DescriptorHandler(end))
    log = logging_to(writer)
    for line in ("short", "x" * 3 * select.PIPE_BUF, "after"):
        log.warning(line)
    assert [len(reader.readline()) for _ in range(3)] == [6, 3 * select.PIPE_BUF + 1, 6]
    writer.close()
