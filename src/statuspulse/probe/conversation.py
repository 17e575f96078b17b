"""What is said over one stream: everything that came, how far it is understood, and the words to show it in."""

from __future__ import annotations

from time import monotonic_ns

from statuspulse.egress.dial import Stream

# The most that one expectation, reply or line may take.
READ_LIMIT = 4096
# Of what a server says first this much is kept.
BANNER_BYTES = 256
_ESCAPES = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\"}


class Conversation:
    """Reads a stream in pieces. Its calls raise what those of the stream raise, and EOFError at its end.

    `unread` is what came and is not understood yet; `received` counts everything, `first_byte_at` is of the
    monotonic clock in ns. `banner` is the beginning of what the other side said before it was answered.
    """

    def __init__(self, stream: Stream) -> None:
        self.received = 0
        self.first_byte_at: int | None = None
        self.banner = b""
        self._stream = stream
        self._is_answered = False
        self._said = bytearray()
        self._at = 0

    @property
    def unread(self) -> bytes:
        return bytes(self._said[self._at :])

    async def send(self, data: bytes) -> None:
        self._is_answered = self.received > 0
        await self._stream.send(data)

    async def more(self) -> None:
        """Waits for the next bytes. ValueError if too many are unread already."""
        room = READ_LIMIT - (len(self._said) - self._at)
        if room <= 0:
            raise ValueError(f"more than {READ_LIMIT} bytes")
        data = await self._stream.receive(room)
        if not data:
            raise EOFError
        if self.first_byte_at is None:
            self.first_byte_at = monotonic_ns()
        if not self._is_answered:
            self.banner += data[: BANNER_BYTES - len(self.banner)]
        self.received += len(data)
        self._said += data

    def take(self, size: int) -> bytes:
        """Understood: the next bytes of what is unread."""
        taken = bytes(self._said[self._at : self._at + size])
        self._at += size
        return taken

    async def exactly(self, size: int) -> bytes:
        while len(self._said) - self._at < size:
            await self.more()
        return self.take(size)

    async def line(self) -> bytes:
        """One line without its end."""
        while (end := self._said.find(b"\n", self._at)) < 0:
            await self.more()
        return self.take(end + 1 - self._at).rstrip(b"\r\n")

    def return_to_line(self) -> None:
        """Back to the beginning of the line that the last byte taken belongs to, so that it is read whole."""
        self._at = self._said.rfind(b"\n", 0, max(self._at - 1, 0)) + 1

    def forget(self) -> None:
        """What was said in plain text has no meaning after the handshake."""
        self._said.clear()
        self._at = 0


def shown(data: bytes) -> str:
    """Bytes from outside as text for people: in quotes, everything unprintable escaped."""
    return '"' + "".join(_shown_byte(byte) for byte in data) + '"'


def _shown_byte(byte: int) -> str:
    return _ESCAPES.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
