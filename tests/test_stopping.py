"""A request to stop is noted where somebody looks, and obeyed where nobody does."""

import signal
import threading
from collections.abc import Iterator

import pytest

from kdsearch.stopping import STOP, Stop, Stopped, heeded, terminated_as_interrupted

ASKED = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(autouse=True)
def left_alone() -> Iterator[None]:
    """Whatever a test does, handlers and the request are as they were."""
    before = {number: signal.getsignal(number) for number in ASKED}
    yield
    assert {number: signal.getsignal(number) for number in ASKED} == before
    assert not STOP.is_asked() and not STOP.is_heeded


@pytest.mark.parametrize("number", ASKED)
def test_a_first_request_is_noted_and_the_block_comes_to_its_end(number: int) -> None:
    reached = []
    with pytest.raises(Stopped), heeded():
        assert not STOP.is_asked()
        signal.raise_signal(number)
        reached.append(STOP.is_asked())
    assert reached == [True]


@pytest.mark.parametrize("first", ASKED)
@pytest.mark.parametrize("second", ASKED)
def test_a_second_one_is_obeyed_at_once(first: int, second: int) -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt) as caught, heeded():
        signal.raise_signal(first)
        reached.append(1)
        signal.raise_signal(second)
        reached.append(2)
    assert reached == [1]
    assert caught.type is KeyboardInterrupt


def test_nothing_is_raised_where_nobody_asked() -> None:
    with heeded():
        pass


def test_an_inner_block_leaves_the_request_to_the_outer_one() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), heeded():
        with heeded():
            signal.raise_signal(signal.SIGINT)
        reached.append(STOP.is_asked())
    assert reached == [True]


def test_what_goes_wrong_in_the_block_is_raised_as_it_is() -> None:
    with pytest.raises(ValueError, match="wrong"), heeded():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("wrong")


def test_handlers_of_others_are_left_alone() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with heeded(), terminated_as_interrupted():
            signal.raise_signal(signal.SIGTERM)
            assert not STOP.is_asked()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_another_thread_has_no_signals_to_heed() -> None:
    seen = []

    def work() -> None:
        with heeded():
            seen.append(STOP.is_heeded)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


def test_sigterm_is_what_ctrl_c_is() -> None:
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted(), heeded():
        signal.raise_signal(signal.SIGTERM)
        assert STOP.is_asked()


def test_another_process_is_asked_now_and_then() -> None:
    now, answers, looks = [0.0], [False, True], []

    def look() -> bool:
        looks.append(now[0])
        return answers.pop(0)

    stop = Stop(clock=lambda: now[0])
    stop.listen(look)
    assert stop.is_heeded
    for seconds, expected in [(0.0, False), (0.9, False), (1.0, True), (5.0, True)]:
        now[0] = seconds
        assert stop.is_asked() == expected
    assert looks == [0.0, 1.0]
