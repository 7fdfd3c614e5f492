"""The board: what it shows, to whom, and when their turn comes."""

from __future__ import annotations

from server.ids import new_id
from server.live.board import TICK_SECONDS, TURN, Board, Posted, Viewer

PLACES = 4


class Taker:
    """A viewer's connection that takes everything, or nothing."""

    def __init__(self) -> None:
        self.takes_more = True
        self.received: list[str] = []

    def takes(self) -> bool:
        return self.takes_more

    def write(self, frame: bytes) -> None:
        self.received.append(frame.decode())


def make_board() -> Board:
    return Board(new_id(), "occupancy", epoch="e1", turn=PLACES)


def put(board: Board, *keys: str, gone: bool = False) -> None:
    """The next change of the channel: these keys get new values."""
    version = board.seq + 1
    board.put([Posted(key, version, f"{key}{version} ".encode(), gone) for key in keys], seq=version)


def enter(board: Board) -> tuple[Taker, Viewer]:
    taker = Taker()
    viewer = board.join(taker)
    viewer.look()
    return taker, viewer


def go_round(board: Board, ticks: int = PLACES) -> None:
    for _ in range(ticks):
        for viewer in board.tick():
            viewer.look()


def test_who_enters_sees_what_there_is_as_one_piece() -> None:
    board = make_board()
    put(board, "a", "b")
    put(board, "c")
    put(board, "a")
    assert enter(board)[0].received == ["b1 c2 a3 "]


def test_an_empty_board_is_nothing_to_see() -> None:
    taker, _ = enter(make_board())
    assert taker.received == []


def test_who_enters_never_hears_of_keys_that_are_gone() -> None:
    board = make_board()
    put(board, "a", "b")
    put(board, "a", gone=True)
    assert enter(board)[0].received == ["b1 "]


def test_a_key_that_is_taken_away_is_told_to_those_who_were_there() -> None:
    board = make_board()
    put(board, "a", "b")
    taker, _ = enter(board)
    put(board, "a", gone=True)
    go_round(board)
    put(board, "a")
    go_round(board)
    assert taker.received == ["a1 b1 ", "a2 ", "a3 "]


def test_changes_wait_for_the_viewer_s_turn_and_only_the_latest_is_shown() -> None:
    board = make_board()
    taker, _ = enter(board)
    for _ in range(5):
        put(board, "a")
    put(board, "b")
    go_round(board, PLACES - 1)
    assert taker.received == []
    go_round(board, 1)
    assert taker.received == ["a5 b6 "]
    go_round(board, 3 * PLACES)
    assert len(taker.received) == 1, "what has been shown is not shown again"


def test_those_who_enter_one_after_the_other_have_their_turns_one_after_the_other() -> None:
    board = make_board()
    takers = []
    for _ in range(PLACES):
        takers.append(enter(board)[0])
        board.tick()
    put(board, "a")
    shown = []
    for _ in range(PLACES):
        go_round(board, 1)
        shown.append([len(taker.received) for taker in takers])
    assert shown == [[0, 1, 0, 0], [0, 1, 1, 0], [0, 1, 1, 1], [1, 1, 1, 1]], "the first one's turn was just over"


def test_a_tick_names_nobody_who_has_seen_everything() -> None:
    board = make_board()
    enter(board)
    put(board, "a")
    _, late = enter(board)
    assert [viewer for _ in range(PLACES) for viewer in board.tick() if viewer is late] == []


def test_who_cannot_take_it_gets_a_later_value_in_a_later_turn() -> None:
    board = make_board()
    taker, _ = enter(board)
    taker.takes_more = False
    for _ in range(3):
        put(board, "a")
        go_round(board)
    assert taker.received == []
    taker.takes_more = True
    go_round(board)
    assert taker.received == ["a3 "]


def test_who_could_not_take_the_first_look_gets_it_in_its_turn() -> None:
    board = make_board()
    put(board, "a", "b")
    put(board, "b", gone=True)
    taker = Taker()
    taker.takes_more = False
    board.join(taker).look()
    taker.takes_more = True
    go_round(board)
    assert taker.received == ["a1 "], "and still nothing of what was gone before it came"


def test_who_has_left_sees_nothing_even_if_its_turn_was_under_way() -> None:
    board = make_board()
    taker, viewer = enter(board)
    put(board, "a")
    due = [viewer for _ in range(PLACES) for viewer in board.tick()]
    assert due == [viewer]
    viewer.leave()
    viewer.leave()
    viewer.look()
    go_round(board)
    assert taker.received == []
    assert board.readers() == []


def test_all_who_have_seen_the_same_get_the_same_bytes() -> None:
    board = make_board()
    put(board, "a")
    assert board.news(-1) is board.news(-1)
    assert board.news(0) is board.news(0)
    put(board, "b")
    assert (board.news(-1), board.news(0), board.news(1), board.news(2)) == (b"a1 b2 ", b"a1 b2 ", b"b2 ", b"")


def test_a_count_without_a_change_moves_the_board_on() -> None:
    board = make_board()
    board.put([], seq=3)
    assert (board.seq, board.news(0)) == (3, b"")


def test_a_reading_may_have_reached_further_than_was_asked() -> None:
    board = make_board()
    board.put([Posted("a", 5, b"a5 ", gone=False)], seq=3)
    assert board.seq == 5


def test_a_turn_takes_longer_than_a_second_even_by_timers_that_go_off_early() -> None:
    assert (TURN - 1) * (TICK_SECONDS - 0.001) > 1
