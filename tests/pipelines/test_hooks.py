"""Messages of interrupted runs."""

import io
import os
import signal
import sys

import pytest

from steps.hooks import say_on_ctrl_c


class Interrupted(io.RawIOBase):
    """A stream in the middle of whose writes Ctrl-C is pressed."""

    def writable(self):
        return True

    def write(self, data):
        os.kill(os.getpid(), signal.SIGINT)
        return len(data)


def test_ctrl_c_in_the_middle_of_a_message_is_said(capfd, monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(Interrupted())))
    try:
        say_on_ctrl_c("nothing is lost")
        with pytest.raises(KeyboardInterrupt):
            sys.stderr.write("Step has started.\n")
            sys.stderr.flush()
    finally:
        signal.signal(signal.SIGINT, before)
    monkeypatch.undo()
    assert capfd.readouterr().err.count("stopped; nothing is lost\n") == 1
