"""Lines of the log are written in a thread, so that a destination that takes none holds nobody up."""

import logging
import os
import threading

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


def test_lines_come_in_their_order_and_all_of_them_at_the_end(tmp_path):
    file = tmp_path / "log"
    writer = BackgroundWriter(logging.FileHandler(file))
    log = logging_to(writer)
    for number in range(100):
        log.warning("line %d", number)
    writer.close()
    assert file.read_text().splitlines() == [f"line {number}" for number in range(100)]


def test_a_destination_that_takes_nothing_holds_nobody_up_and_what_was_dropped_is_said(pipe, monkeypatch):
    monkeypatch.setattr(log_writer, "MOST_LINES", 50)
    reader, end = pipe
    log = logging_to(BackgroundWriter(DescriptorHandler(end)))
    done = threading.Event()

    def log_on_and_on():
        for _ in range(500):
            log.warning("x" * 1000)
        done.set()

    threading.Thread(target=log_on_and_on, daemon=True).start()
    assert done.wait(30), "who logs waits for the destination"
    seen = [reader.readline() for _ in range(50)]
    assert set(seen) == {"x" * 1000 + "\n"}
    while "dropped" not in seen[-1]:  # there is room again
        log.warning("y")
        seen.append(reader.readline())
    assert int(seen[-1].split()[0]) > 300
    assert reader.readline() == "y\n"


def test_a_handler_that_is_closed_twice_is_closed(tmp_path):
    writer = BackgroundWriter(logging.FileHandler(tmp_path / "log"))
    writer.close()
    writer.close()
