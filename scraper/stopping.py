"""Ctrl-C and SIGTERM: the run ends within seconds and loses nothing.

A signal raises Stopped at once only while the run waits or reads from the network, when no change is in progress. At any other
time it sets a flag, and the run ends before its next wait.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from scraper.errors import Stopped

_TIME_IS_UP = signal.SIGUSR1
"""What `until` sends to this process; SIGALRM limits the parsing of single pages (`scraper.database.parse_captures`)."""


class Stop:
    """A request to end the run, made by a signal or by a time limit."""

    def __init__(self) -> None:
        self.asked = self.late = self._interruptible = self._listening = False

    @property
    def over(self) -> bool:
        """Whether the run must end: a signal arrived, or the time limit of `until` has passed."""
        return self.asked or self.late

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Handles SIGINT and SIGTERM during the block; does nothing outside the main thread."""
        with handled(self._on_signal, signal.SIGINT, signal.SIGTERM, _TIME_IS_UP) as handles:
            self._listening = handles
            try:
                yield
            finally:
                self._listening = False

    @contextmanager
    def until(self, seconds: float) -> Iterator[None]:
        """Stops the run in this block after `seconds`, as a signal would, and sets `late`."""
        self.late = False

        def time_is_up() -> None:  # in the timer's thread; the signal wakes the main thread
            self.late = True
            main = threading.main_thread().ident
            if self._listening and main is not None:
                signal.pthread_kill(main, _TIME_IS_UP)

        timer = threading.Timer(seconds, time_is_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # its signal must not arrive after the handler is gone

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number != _TIME_IS_UP:
            self.asked = True
        if self._interruptible:
            self._interruptible = False
            raise Stopped

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """In this block a signal raises Stopped at once; entering the block after a signal raises it, too."""
        self.check()
        self._interruptible = True
        try:
            self.check()
            yield
        finally:
            self._interruptible = False

    def check(self) -> None:
        """Raises Stopped if the run must end."""
        if self.over:
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """Waits. Raises Stopped."""
        with self.interruptible():
            time.sleep(max(seconds, 0.0))


@contextmanager
def handled(handler: Callable[[int, FrameType | None], object], *numbers: signal.Signals) -> Iterator[bool]:
    """Calls `handler` for these signals during the block. Yields False outside the main thread, where it does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield False
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield True
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def terminated_as_interrupted() -> AbstractContextManager[bool]:
    """SIGTERM raises KeyboardInterrupt in this block, as Ctrl-C does: for work that may end at any point."""
    return handled(signal.default_int_handler, signal.SIGTERM)
