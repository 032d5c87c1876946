"""Over a real SSH server: a session is driven, cut off in the middle, and taken up again."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import struct
import sys
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest
from tests.tui.terminal import screen

from planner.catalog import Catalog
from planner.engine.estimate import evaluate
from planner.exchange.edits import changed

PATIENCE_S = 60.0
"""A busy machine may be slow; what is waited for ends the wait."""
WIDTH, HEIGHT = 120, 40
IN_ITS_TERMINAL = (
    "import fcntl, runpy, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " sys.argv[0] = 'planner'; runpy.run_module('planner', run_name='__main__')"
)


class Server:
    """Runs the planner in a terminal for each client, and hangs up when the client is gone, as sshd does."""

    def __init__(self) -> None:
        self.statuses: asyncio.Queue[int] = asyncio.Queue()

    async def serve(self, client: asyncssh.SSHServerProcess[bytes]) -> None:
        terminal, inner = pty.openpty()
        width, height, *_ = client.term_size
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        words = [sys.executable, "-c", IN_ITS_TERMINAL, *(client.command or "").split()[1:]]
        environment = {**os.environ, "TERM": client.term_type or "", "COLORTERM": ""}
        planner = await asyncio.create_subprocess_exec(
            *words, stdin=inner, stdout=inner, stderr=inner, start_new_session=True, env=environment
        )
        os.close(inner)
        forwarding = asyncio.create_task(self._forward(client, terminal))
        loop = asyncio.get_running_loop()

        def show() -> None:
            try:
                client.stdout.write(os.read(terminal, 65_536))
            except OSError:  # the planner has ended
                loop.remove_reader(terminal)
                forwarding.cancel()

        loop.add_reader(terminal, show)
        await asyncio.wait([forwarding])
        loop.remove_reader(terminal)
        os.close(terminal)
        status = await planner.wait()
        await self.statuses.put(status)
        client.exit(status)

    async def _forward(self, client: asyncssh.SSHServerProcess[bytes], terminal: int) -> None:
        while not client.stdin.at_eof():
            os.write(terminal, await client.stdin.read(4096))


class Client:
    """One connection, with a terminal, and what that terminal shows."""

    def __init__(self, connection: asyncssh.SSHClientConnection, remote: asyncssh.SSHClientProcess[bytes]) -> None:
        self.connection, self.remote, self.sent = connection, remote, b""

    @classmethod
    async def connected(cls, port: int, command: str) -> Client:
        connection = await asyncssh.connect(
            "127.0.0.1", port, username="planner", known_hosts=None, client_keys=None, agent_path=None, config=None
        )
        remote = await connection.create_process(
            command, term_type="xterm-256color", term_size=(WIDTH, HEIGHT), encoding=None
        )
        return cls(connection, remote)

    def type(self, keys: str) -> None:
        self.remote.stdin.write(keys.encode())

    async def shows(self, *words: str) -> None:
        """Wait until the screen has all these words."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not all(word in screen(self.sent, WIDTH, HEIGHT) for word in words):
                    part = await self.remote.stdout.read(65_536)
                    assert part, "the connection has ended"
                    self.sent += part
        except TimeoutError:
            raise AssertionError(f"{words} not in\n{screen(self.sent, WIDTH, HEIGHT)}") from None


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, int]]:
    """A server on a free port of the loopback."""
    own = Server()
    listener = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        server_factory=Open, process_factory=own.serve, encoding=None,
    )  # fmt: skip
    yield own, listener.get_port()
    listener.close()
    await listener.wait_closed()


class Open(asyncssh.SSHServer):
    """Lets anybody in."""

    def begin_auth(self, username: str) -> bool:
        return False


def days(cards: int) -> str:
    """The range of days as the screen writes it."""
    catalog = Catalog.default()
    plan = changed(catalog.plan("deepseek-v3"), [f"cluster.cards={cards}"], catalog)
    estimate = evaluate(catalog.resolve(plan)).estimate
    assert estimate is not None
    low, high = estimate.interval_80["training_days"]
    return f"{low:.1f} – {high:.1f}"


async def test_a_cut_connection_loses_nothing(server: tuple[Server, int], own_folders: Path) -> None:
    own, port = server
    assert days(2048) != days(4096)
    first = await Client.connected(port, "planner deepseek-v3")
    await first.shows("2,048", days(2048))
    first.type("4096\r")
    await first.shows("4,096", days(4096), "undo")
    first.connection.abort()
    assert await asyncio.wait_for(own.statuses.get(), PATIENCE_S) == 0

    again = await Client.connected(port, "planner")
    await again.shows("4,096", days(4096), "undo")
    again.type("u")
    await again.shows("2,048", days(2048), "undone: ")
    again.type("q")
    await again.remote.wait_closed()
    assert await asyncio.wait_for(own.statuses.get(), PATIENCE_S) == 0
    again.connection.close()
    await again.connection.wait_closed()
    data = json.loads((own_folders / "state" / "session.json").read_text(encoding="utf-8"))
    assert [step["plan"]["cluster"]["cards"] for step in data["history"]] == [2048, 4096]
    assert data["index"] == 0
