"""The yardstick where Postfix's `smtp-source` is missing: a client that does nothing but write.

As Handbill's engine does, it writes a message's dot together with the next one's commands
(RFC 2920), and waits for nothing but the replies that it must have.
"""

import asyncio


async def send(port: int, *, messages: int, connections: int, content: bytes) -> None:
    """Send the same content so many times over so many connections."""
    share, more = divmod(messages, connections)
    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(_one(port, share + (number < more), content))


async def _one(port: int, messages: int, content: bytes) -> None:
    envelope = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _replies(reader, 1)
    writer.write(b"EHLO bench.test\r\n")
    await _replies(reader, 1)
    writer.write(envelope)
    for left in reversed(range(messages)):
        await _replies(reader, 3)
        writer.write(content + b".\r\n" + (envelope if left else b"QUIT\r\n"))
        await writer.drain()
        await _replies(reader, 1)
    writer.close()
    await writer.wait_closed()


async def _replies(reader: asyncio.StreamReader, number: int) -> None:
    while number:
        line = await reader.readline()
        if not line or line[:1] not in b"23":
            raise ConnectionError(f"the sink answered {line!r}")
        number -= line[3:4] == b" "
