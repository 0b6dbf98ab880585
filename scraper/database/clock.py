"""Bounds the time of one page, where the platform can. `parsed` is the caller."""

import faulthandler
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from types import FrameType

from scraper.errors import PageTookTooLong

Clock = Callable[[], AbstractContextManager[None]]
"""Begins the time of a page; the end of the block ends it."""
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def page_clock(seconds: float, *, alone: bool) -> Iterator[Clock]:
    """A clock for pages. `alone`: this process is there for nothing else, and is ended by a page over its time.

    In the main thread SIGALRM ends a worker even where C code hangs; where the process is not alone it can only interrupt Python
    code. A worker of a cluster runs its tasks in other threads, which signals don't reach: there a watchdog ends the process.
    """
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        before = signal.signal(signal.SIGALRM, signal.SIG_DFL if alone else _give_up)
        try:
            alarm = partial(signal.setitimer, signal.ITIMER_REAL)
            yield lambda: _timed(partial(alarm, seconds), partial(alarm, 0))
        finally:
            signal.signal(signal.SIGALRM, before)
    elif alone:
        with _ONE_AT_A_TIME, open(os.devnull, "w") as nowhere:  # noqa: PTH123  (the watchdog wants a file descriptor)
            watch = partial(faulthandler.dump_traceback_later, seconds, exit=True, file=nowhere)
            yield lambda: _timed(watch, faulthandler.cancel_dump_traceback_later)
    else:
        yield nullcontext


@contextmanager
def _timed(begin: Callable[[], object], end: Callable[[], object]) -> Iterator[None]:
    begin()
    try:
        yield
    finally:
        end()


def _give_up(_signal: int, _frame: FrameType | None) -> None:
    raise PageTookTooLong
