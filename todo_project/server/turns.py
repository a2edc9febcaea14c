"""Which thread of a process waits for its clients."""

import threading


class Turns:
    """Gives one thread at a time the turn to wait for clients, and to serve them.

    A thread keeps its turn while it only computes. It passes it on before it waits for something
    else, and its turn is passed on for it if it computes for long. Python runs one thread at a time
    anyway, and each switch between two takes as long as parsing a request.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Turn] = []  # the last one is taken first: its memory is still cached
        self._is_vacant = True
        self.holder: Turn | None = None

    def add(self, turn: "Turn") -> bool:
        """Give a thread the turn, or note that it waits for it; return whether it has it."""
        with self._lock:
            is_given, self._is_vacant = self._is_vacant, False
            if is_given:
                self.holder = turn
            else:
                self._idle.append(turn)
            return is_given

    def give(self) -> None:
        """Give the turn to the thread that has waited for the shortest time."""
        with self._lock:
            if self._idle:
                self.holder = self._idle.pop()
                self.holder.begin()
            else:
                self.holder, self._is_vacant = None, True


class Turn:
    """A thread's part in ``Turns``."""

    def __init__(self, turns: Turns) -> None:
        self.busy_since = float("inf")  # a time.monotonic() value, while it serves
        self._turns = turns
        self._has_it: list[None] = []  # an element if it is this thread's turn; pop() is atomic
        self._bell = threading.Lock()
        self._bell.acquire()

    def take(self) -> None:
        """Wait until it is this thread's turn, if it is not already."""
        if self._has_it:
            return
        if self._turns.add(self):
            self._has_it.append(None)
        else:
            self._bell.acquire()

    def begin(self) -> None:
        """Wake the thread."""
        self._has_it.append(None)
        self._bell.release()

    def pass_on(self) -> None:
        """Give the turn to another thread, unless that has happened."""
        try:
            self._has_it.pop()
        except IndexError:
            return
        self._turns.give()


class _OfThisThread(threading.local):
    turn: Turn | None = None  # outside the server


of_this_thread = _OfThisThread()


def pass_on() -> None:
    """Let another thread serve the clients; called before this one waits for the database."""
    if (turn := of_this_thread.turn) is not None:
        turn.pass_on()
