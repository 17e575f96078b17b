"""HTTP/1.1 by h11, without input and output: the bytes to send, and the answer out of those that come back."""

from __future__ import annotations

import h11

from statuspulse.client.address import Address
from statuspulse.client.calls import Call
from statuspulse.client.replies import Reply

# A page of results with evidence is the longest answer, and far below.
_LONGEST_BODY = 64 * 1024 * 1024


class UnreadableAnswerError(Exception):
    """What came back is no HTTP, or is cut, or does not end."""


def new_protocol() -> h11.Connection:
    """The state of a connection that was just opened."""
    return h11.Connection(our_role=h11.CLIENT)


class Exchange:
    """One call on a connection whose protocol is idle."""

    def __init__(self, protocol: h11.Connection) -> None:
        self._protocol = protocol
        self._response: h11.Response | None = None
        self._body = bytearray()

    @property
    def has_begun_to_answer(self) -> bool:
        return self._response is not None

    def outgoing(self, call: Call, address: Address, headers: tuple[tuple[str, str], ...]) -> bytes:
        """The whole call. No encoding is accepted: compressing proxies weaken entity tags."""
        lines = [("Host", address.authority), ("Accept", "application/json"), *headers, *call.headers]
        if call.body is not None or call.method not in {"GET", "HEAD", "DELETE"}:
            lines.append(("Content-Length", str(len(call.body or b""))))
        head = h11.Request(method=call.method, target=address.prefix + call.path, headers=lines)
        parts = [self._protocol.send(head)]
        if call.body:
            parts.append(self._protocol.send(h11.Data(data=call.body)))
        parts.append(self._protocol.send(h11.EndOfMessage()))
        return b"".join(part for part in parts if part)

    def take(self, data: bytes) -> Reply | None:
        """Takes what was received, nothing at the end of the stream; None while more has to come.

        Raises UnreadableAnswerError when no answer can come of it.
        """
        try:
            self._protocol.receive_data(data)
            return self._next_reply()
        except h11.RemoteProtocolError as error:
            raise UnreadableAnswerError(str(error)) from None

    def _next_reply(self) -> Reply | None:
        while True:
            event = self._protocol.next_event()
            if isinstance(event, h11.Response):
                self._response = event
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > _LONGEST_BODY:
                    raise UnreadableAnswerError("the answer does not end")
            elif isinstance(event, h11.EndOfMessage):
                return self._reply()
            elif event is h11.NEED_DATA:
                return None
            elif not isinstance(event, h11.InformationalResponse):
                raise UnreadableAnswerError("the connection was closed before an answer came")

    def _reply(self) -> Reply:
        response = self._response
        assert response is not None
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers)
        return Reply(status=response.status_code, headers=headers, body=bytes(self._body))


def is_reusable(protocol: h11.Connection) -> bool:
    """Makes the protocol idle again after a whole exchange; False where the connection has to be closed."""
    if protocol.our_state is not h11.DONE or protocol.their_state is not h11.DONE:
        return False
    protocol.start_next_cycle()
    return True
