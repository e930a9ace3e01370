"""One SMTP connection: the transaction, with the last dot when the journal says so.

Message after message goes out of `Connection._go_on`, which is called where replies come in; the
rest of the class is for the first of them, and for whatever is not as expected.
"""

import asyncio
import contextlib
import functools
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiosmtplib.errors import SMTPException

from delivery import opening
from delivery.letter import Envelope, Letter, Outcome, Reply, Verdict
from delivery.line import Answer, Line
from delivery.models import Reason
from delivery.replies import FINE, GO_AHEAD, TAKEN, Stage, judge, said, short
from foundation import relaying

_QUIT_S = 2.0
_LOST = (SMTPException, OSError, TimeoutError)


class Hand(Protocol):
    """Gives a connection its letters, leave for each last dot, and hears what came of them."""

    def clear_now(self, letter: Letter) -> bool | None:
        """`clear`, if the answer is there at once; else None, and `clear` has to be asked.

        To be asked when nothing is kept back any more.
        """
        ...

    async def clear(self, letter: Letter) -> bool:
        """Leave to write the last dot, now; without it, the letter is settled already."""
        ...

    def follow(self) -> Letter | None:
        """Asked right before a last dot: what goes over the same connection next, if anything."""
        ...

    def settle(self, letter: Letter, outcome: Outcome) -> None:
        """What came of a letter."""
        ...

    def put_back(self, letter: Letter) -> None:
        """Nothing was said of it but addresses: another connection may take it."""
        ...


_DOT = b".\r\n"


class ConnectionStale(Exception):
    """A kept connection was closed by the relay between two messages; a new one will do."""


class Connection:
    """A connection that is kept for many messages.

    Where the relay offers PIPELINING (RFC 2920), a message's last dot and the next one's envelope
    go out together, so that a message costs one round trip; elsewhere each command waits.
    """

    def __init__(self, line: Line, settings: relaying.Relay, extensions: Mapping[str, str]) -> None:
        self._line = line
        self.settings = settings
        """By which it was opened, and by which it ends."""
        self._extensions = extensions
        self._is_pipelining = "pipelining" in extensions
        may_be_8bit = settings.transfer_encoding is relaying.TransferEncoding.AUTO
        self.takes_8bit = may_be_8bit and "8bitmime" in extensions
        """Whether octets beyond ASCII go out as they are (RFC 6152)."""
        self._most_octets = opening.size_limit(extensions.get("size", ""))
        self._sent = 0
        self._introduced: Letter | None = None
        """Its envelope is on the wire."""
        self._finished: Letter | None = None
        """Its last dot is on the wire, without a reply."""
        self.trouble = ""
        """Why the connection ended in the middle of a message; blank while it has not."""

    @classmethod
    async def open(cls, settings: relaying.Relay) -> "Connection":
        """Connect, secure and authenticate. Raises `RelayTrouble`."""
        opened = await opening.connect(settings)
        line = Line(opened.transport, timeout_s=settings.timeout_s)
        return cls(line, settings, opened.extensions)

    @property
    def is_usable(self) -> bool:
        """Whether another message may go over it."""
        return self._sent < self.settings.messages_per_connection and self._line.is_open

    async def send(self, letter: Letter, hand: Hand) -> None:
        """Send a letter and those that follow it, each in a transaction (RFC 5321 §3.3).

        Returns when none follows or the connection ended. Raises `ConnectionStale` or
        `RelayTrouble` when it ended before a recipient was named; that letter is put back.
        """
        following: Letter | None = letter
        while following is not None:
            letter = following
            try:
                following = await self._transact(letter, hand)
            except (ConnectionStale, opening.RelayTrouble):
                hand.put_back(letter)
                raise
            if following is not None and not self._line.is_open:
                hand.put_back(following)
                following = None

    async def quit(self) -> None:
        """End it as RFC 5321 §4.1.1.10 asks."""
        if self._line.is_open and self._introduced is None:
            self._line.write(b"QUIT\r\n")
            with contextlib.suppress(*_LOST):
                async with asyncio.timeout(_QUIT_S):
                    await self._line.answer()
        self._line.close()

    def drop(self) -> None:
        """End it without a word."""
        self._line.close()

    async def _transact(self, letter: Letter, hand: Hand) -> Letter | None:
        """One letter, then all that follow without a surprise; returns the one that is next."""
        self._sent += 1
        if self._introduced is not letter:
            if not self._takes(letter):
                hand.settle(letter, self._beyond_relay(letter.envelope))
                return None
            self._line.write(self._introduction(letter.envelope))
        self._introduced = None
        refusal = await self._hear(letter.envelope)
        if refusal is not None:
            hand.settle(letter, refusal)
        elif await self._content(letter, hand):
            await self._line.attend(functools.partial(self._go_on, hand))
            if self._finished is not None:
                hand.settle(self._finished, await self._hear_dot())
                self._finished = None
        return self._introduced

    def _go_on(self, hand: Hand) -> bool:
        """Message after message, as long as the relay says what is expected and nobody has to wait.

        Returns False when more replies have to come first.
        """
        answers = self._line.answers
        while answers:
            if self._finished is not None:
                if answers[0][0] not in TAKEN:
                    return True
                hand.settle(self._finished, _taken(answers.popleft(), self.settings.name))
                self._finished = None
            letter = self._introduced
            if letter is None or not self._line.takes(letter.envelope.size):
                return True
            if len(answers) > len(GO_AHEAD) or not _is_as_hoped(*answers):
                return True
            if len(answers) < len(GO_AHEAD):
                return False
            may_finish = hand.clear_now(letter)
            if may_finish is None:
                return True
            answers.clear()
            self._introduced = None
            if not may_finish:
                self.drop()
                return True
            self._sent += 1
            self._finish(letter, letter.envelope.pieces, hand)
        return self._introduced is None and self._finished is None

    def _following(self, hand: Hand) -> Letter | None:
        """What goes next over this connection, its envelope along with a last dot."""
        while self._is_pipelining and self.is_usable:
            letter = hand.follow()
            if letter is None or self._takes(letter):
                return letter
            hand.settle(letter, self._beyond_relay(letter.envelope))
        return None

    def _takes(self, letter: Letter) -> bool:
        """Whether the relay takes it; first it is made anew if it was made for another encoding."""
        if letter.is_made_8bit is not self.takes_8bit:
            letter.make(is_8bit=self.takes_8bit)
        envelope = letter.envelope
        if envelope.needs_smtputf8 and "smtputf8" not in self._extensions:
            return False
        return envelope.size <= self._most_octets

    def _beyond_relay(self, envelope: Envelope) -> Outcome:
        """Of a message that the relay said it does not take: no octet of it is sent."""
        if envelope.needs_smtputf8 and "smtputf8" not in self._extensions:
            reason, told = Reason.NEEDS_SMTPUTF8, "the relay offers no SMTPUTF8"
        else:
            octets = envelope.size
            told = f"the relay takes {self._most_octets} octets, and the message has {octets}"
            reason = Reason.TOO_LARGE
        reply = Reply(0, told, self.settings.name)
        return Outcome(verdict=Verdict.FAILED, reason=reason, reply=reply)

    def _introduction(self, envelope: Envelope) -> bytes:
        """All that may be said before the first reply."""
        commands = self._commands(envelope)
        return ("".join(commands) if self._is_pipelining else commands[0]).encode()

    def _commands(self, envelope: Envelope) -> tuple[str, str, str]:
        """Those of the stages before the content, in their order."""
        options = f" SIZE={envelope.size}" if "size" in self._extensions else ""
        if envelope.needs_smtputf8:
            options += " BODY=8BITMIME SMTPUTF8"
        elif envelope.is_8bit:
            options += " BODY=8BITMIME"
        return (
            f"MAIL FROM:<{envelope.mail_from}>{options}\r\n",
            f"RCPT TO:<{envelope.rcpt_to}>\r\n",
            "DATA\r\n",
        )

    async def _hear(self, envelope: Envelope) -> Outcome | None:
        """The replies to the envelope; None when the content may follow."""
        for stage, command in zip(FINE, self._commands(envelope), strict=True):
            if not self._is_pipelining and stage is not Stage.MAIL:
                self._line.write(command.encode())
            try:
                code, text = await self._line.answer()
            except _LOST as problem:
                if stage is not Stage.MAIL:
                    return self._lost(problem)
                self.drop()
                if self._sent > 1:
                    raise ConnectionStale from problem
                raise opening.RelayTrouble(said(problem)) from problem
            if code not in FINE[stage]:
                reply = _reply((code, text), self.settings.name)
                if stage is Stage.MAIL:
                    self._refuse_sender(envelope, reply)
                await self._reset(stage, reply)
                return judge(stage, reply)
        return None

    def _refuse_sender(self, envelope: Envelope, reply: Reply) -> None:
        """Whoever is refused at MAIL is us, not the recipient, unless it is about the message."""
        if reply.code == 421 and self._sent > 1:
            self.drop()
            raise ConnectionStale
        is_about_message = envelope.needs_smtputf8 or reply.code == 552 or "5.3.4" in reply.text
        is_for_now = 400 <= reply.code < 500 and reply.code != 421
        if not is_for_now and not (reply.code >= 500 and is_about_message):
            self.drop()
            raise opening.RelayTrouble(f"{reply.code} {reply.text}")

    async def _content(self, letter: Letter, hand: Hand) -> bool:
        """Everything but the dot, leave to finish, the dot; whether that was written.

        What the kernel takes at once goes out in one piece with its dot: nothing would be kept back
        that could still be stopped.
        """
        content = letter.envelope.pieces
        may_finish = hand.clear_now(letter) if self._line.takes(letter.envelope.size) else None
        if may_finish is None:
            self._line.write(b"".join(content))
            content = ()
            try:
                await self._line.drained()
            except _LOST as problem:
                hand.settle(letter, self._lost(problem))
                return False
            may_finish = await hand.clear(letter)
        if not may_finish:
            # Without the dot the relay throws away what it has (RFC 5321 §4.1.1.4).
            self.drop()
            return False
        if not self._line.is_open:
            hand.settle(letter, self._lost(ConnectionResetError("the connection was closed")))
            return False
        if self._line.answers:
            early = ConnectionResetError("the server answered before it was asked")
            hand.settle(letter, self._lost(early))
            return False
        self._finish(letter, content, hand)
        return True

    def _finish(self, letter: Letter, rest: Sequence[bytes], hand: Hand) -> None:
        """The rest of the content and the last dot, along with the envelope of what follows."""
        self._finished = letter
        self._introduced = following = self._following(hand)
        introduction = self._introduction(following.envelope) if following is not None else b""
        self._line.write(b"".join((*rest, _DOT, introduction)))

    async def _hear_dot(self) -> Outcome:
        try:
            reply = _reply(await self._line.answer(), self.settings.name)
        except _LOST as problem:
            self.drop()
            self.trouble = said(problem)
            return Outcome(
                verdict=Verdict.UNCERTAIN,
                reason=Reason.NO_REPLY,
                reply=Reply(0, self.trouble, self.settings.name),
            )
        if reply.code == 421:
            self.drop()
            self.trouble = f"{reply.code} {reply.text}"
        return judge(Stage.DOT, reply)

    async def _reset(self, stage: Stage, reply: Reply) -> None:
        """Forget the transaction; a connection on which that fails is of no more use."""
        if reply.code == 421:
            self.drop()
            self.trouble = f"{reply.code} {reply.text}"
            return
        try:
            if self._is_pipelining and await self._wants_content(after=stage):
                # It took DATA without a recipient: an empty message to nobody ends that.
                self._line.write(_DOT)
                await self._line.answer()
            else:
                self._line.write(b"RSET\r\n")
                if (await self._line.answer())[0] != 250:
                    self.drop()
        except _LOST:
            self.drop()

    async def _wants_content(self, *, after: Stage) -> bool:
        """Hear the replies to what was said along with a refused command (RFC 2920 §3.1)."""
        code = 0
        for stage in Stage:
            if after.value < stage.value <= Stage.DATA.value:
                code, _ = await self._line.answer()
        return code == 354

    def _lost(self, problem: Exception) -> Outcome:
        """The connection broke before the last dot, so nothing was taken."""
        self.drop()
        self.trouble = said(problem)
        return Outcome(
            verdict=Verdict.DEFERRED,
            reason=Reason.CONNECTION_LOST,
            reply=Reply(0, self.trouble, self.settings.name),
        )


@functools.lru_cache(maxsize=64)
def _is_as_hoped(*answers: Answer) -> bool:
    """Whether replies to an envelope's commands, as far as they came, let the content follow."""
    return all(code in wanted for (code, _), wanted in zip(answers, GO_AHEAD, strict=False))


@functools.lru_cache(maxsize=64)
def _taken(answer: Answer, relay: str) -> Outcome:
    """What the reply means by which a relay takes a message; most say the same to all."""
    return Outcome(Verdict.SENT, "", _reply(answer, relay))


def _reply(answer: Answer, relay: str) -> Reply:
    code, text = answer
    return Reply(code, short(text), relay)
