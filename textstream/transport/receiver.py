"""What arrives on one connection, from bytes to the inbox, and what of it may be kept."""

from __future__ import annotations

import logging
from typing import Protocol

from textstream.access.account import Account, Kind
from textstream.access.caller import Caller
from textstream.access.gate import Ticket
from textstream.transport.assembler import Assembler, Broken, Incoming, Ping
from textstream.transport.bounds import Bounds
from textstream.transport.frames import POLICY_VIOLATION
from textstream.transport.inbox import Inbox
from textstream.transport.intake import Intake
from textstream.transport.large import Large, Oversized
from textstream.transport.pongs import Pongs
from textstream.transport.reactor import Reactor
from textstream.transport.stall import Stall
from textstream.transport.turns import ASKS, Turns

logger = logging.getLogger("textstream.transport")


_MESSAGE = (str, bytes, Large, Oversized)  # the commonest first


class Owner(Protocol):
    """The connection that something arrives on."""

    def write(self, data: bytes) -> None:
        """Write frames."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye."""
        ...

    def watch(self) -> None:
        """Look again whether the socket is to be read."""
        ...

    def end_writing(self) -> None:
        """End our half, if it is time: the peer has said goodbye."""
        ...


class Receiver:
    """Takes bytes, and gives messages to the inbox.

    In the reactor's thread only, but for `handled` and ``intake.outgoing``. Timers,
    places and answers to pings are made when they are needed: an idle connection has none.
    """

    __slots__ = (
        "_account",
        "_assembler",
        "_bounds",
        "_caller",
        "_counted",
        "_deaf",
        "_goes_on",
        "_held",
        "_inbox",
        "_owner",
        "_pongs",
        "_reactor",
        "_slow",
        "_ticket",
        "_turns",
        "intake",
    )

    def __init__(
        self,
        owner: Owner,
        inbox: Inbox,
        *,
        reactor: Reactor,
        bounds: Bounds,
        turns: Turns,
        caller: Caller,
        account: Account | None,
    ) -> None:
        """Receive for a connection.

        Args:
            owner: the connection.
            inbox: what is complete is put into it.
            reactor: the one whose thread this is.
            bounds: what it may cost.
            turns: places of large messages.
            caller: who takes them.
            account: bears what is kept of an unfinished message.

        """
        self._owner = owner
        self._inbox = inbox
        self._reactor = reactor
        self._bounds = bounds
        self._turns = turns
        self._caller = caller
        self._account = account
        self._assembler = Assembler(bounds)
        self.intake = Intake(bounds, reactor, self._changed)
        self._deaf = False  # whether what comes means nothing any more, but the peer's goodbye
        self._goes_on = False  # whether the reactor was asked to go on
        self._held = False  # whether it was we who read no more
        self._counted = 0  # bytes of the unfinished message that are in the account
        self._slow: Stall | None = None  # whether the unfinished message takes too long
        self._pongs: Pongs | None = None
        self._ticket: Ticket | None = None  # of the unfinished message

    @property
    def open(self) -> bool:
        """Whether the socket is to be read.

        Of one that is only waited for to say goodbye it does not matter what waits of it, but it
        may not flood.
        """
        return self._may_go_on and not self._assembler.pending

    @property
    def over(self) -> bool:
        """Whether the peer has said goodbye, or broken the protocol."""
        return self._assembler.over

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        assembler = self._assembler
        was_unfinished = assembler.unfinished
        incoming = assembler.feed(data)
        if self._deaf:
            self.intake.arrived(assembler.frames, 0, full=False)
            if assembler.over:
                self._owner.end_writing()
            self._go_on()
            return
        if (
            len(incoming) == 1
            and type(incoming[0]) is str
            and not (was_unfinished or assembler.unfinished or assembler.pending)
            and not self._inbox.busy
        ):  # nearly always: one short text, and nothing beside it
            self.intake.arrived(assembler.frames, 1, full=False)
            self._inbox.put(incoming[0])
            return
        messages = [one for one in incoming if isinstance(one, _MESSAGE)]
        full = bool(messages) and self._inbox.would_be_full(messages)
        self.intake.arrived(assembler.frames, len(messages), full=full)
        for one in incoming:
            self._dispatch(one)
        if assembler.unfinished:
            self._follow(is_new=bool(messages) or not was_unfinished)
        elif was_unfinished:
            self._forget()
        if assembler.pending:
            self._go_on()

    def handled(self) -> None:
        """Read on if enough was handled. Any thread."""
        if self.intake.full and self._inbox.is_half_empty:
            self.intake.handled()

    def leave(self) -> None:
        """Keep nothing more: of what comes, only the peer's goodbye matters."""
        self._deaf = True
        self._assembler.discard()
        self._forget()

    def close(self) -> None:
        """Let go of the connection, which is closed."""
        self._assembler.close()
        self._forget()
        self.intake.close()
        if self._pongs:
            self._pongs.close()
        if self._slow:
            self._slow.close()
        self._owner = _NOBODY

    def _dispatch(self, one: Incoming) -> None:
        if isinstance(one, _MESSAGE):
            if isinstance(one, Large):
                one.ticket, self._ticket = self._ticket, None
            self._inbox.put(one)
        elif isinstance(one, Ping):
            if self._pongs is None:
                self._pongs = Pongs(self._bounds.pings_per_second, self._reactor, self._owner.write)
            self._pongs.answer(one.payload)
        elif isinstance(one, Broken):
            logger.warning("closed a connection: %s", one.reason, extra={"code": one.code})
            self._owner.close(one.code, one.reason)
        else:
            self._owner.close(one.code)

    # The rest of what was fed.

    @property
    def _may_go_on(self) -> bool:
        return not self.intake.throttled if self._deaf else self.intake.open

    def _go_on(self) -> None:
        """Look at the rest of what was fed, after the other connections."""
        if self._assembler.pending and not self._goes_on:
            self._goes_on = True
            self._reactor.call_soon(self._take_rest)
            self._owner.watch()

    def _take_rest(self) -> None:
        self._goes_on = False
        if self._assembler.pending and self._may_go_on:  # else `_changed` will go on
            self.feed(b"")
            self._owner.watch()

    def _changed(self) -> None:
        """Read, or read no more: the intake has opened or closed."""
        was_held, self._held = self._held, self.intake.full
        if was_held and not self._held and self._slow:
            self._slow.begin()
        self._go_on()
        self._owner.watch()

    # An unfinished message.

    def _follow(self, *, is_new: bool) -> None:
        """See to what an unfinished message may take: bytes, a place, time."""
        kept = self._assembler.kept
        self._count(kept)
        if is_new:
            if self._slow is None:
                self._slow = Stall(self._bounds.unfinished, self._reactor, self._check)
            self._slow.begin()
        if kept > ASKS:
            if self._ticket is None:
                self._enter()
        else:  # it is dropped as it comes, or the next one
            self._leave_turn()

    def _forget(self) -> None:
        """Give up what an unfinished message had."""
        self._count(0)
        self._leave_turn()

    def _count(self, kept: int) -> None:
        if self._account and kept != self._counted:
            self._account.add(Kind.UNFINISHED, kept - self._counted)
        self._counted = kept

    def _enter(self) -> None:
        """Ask for a place; read no more until there is one."""
        self._ticket = self._turns.enter(self._caller, self._admitted)
        if not self._ticket.inside:
            self.intake.queue()

    def _admitted(self) -> None:
        """Read on, as there is a place. Any thread."""
        self._reactor.call_soon(self._go_in)

    def _go_in(self) -> None:
        if self.intake.queues and self._ticket and self._ticket.inside:
            self.intake.admit()

    def _leave_turn(self) -> None:
        ticket, self._ticket = self._ticket, None
        if ticket:
            ticket.leave()
            if self.intake.queues:
                self.intake.admit()

    def _check(self) -> None:
        """Close a connection whose message takes too long; the time of our handlers does not count.

        Waiting for a place does: else two senders that never end would keep all of their address
        waiting, for half a minute after the other. Who is closed may send it again.
        """
        held = self.intake.full
        if self._slow and self._slow.lasts(self._assembler.unfinished and not held):
            why = f"A message was not finished in {self._bounds.unfinished:g} s"
            logger.warning("closed a connection: %s", why)
            self._owner.close(POLICY_VIOLATION, why)


class _Nobody:
    """Has gone."""

    def write(self, data: bytes) -> None: ...

    def close(self, code: int, reason: str = "") -> None: ...

    def watch(self) -> None: ...

    def end_writing(self) -> None: ...


_NOBODY = _Nobody()
