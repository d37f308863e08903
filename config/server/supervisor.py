"""The main process: it opens the port, which all workers share, and replaces a worker that has ended."""

import logging
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

from config.server.limits import BACKLOG

SECONDS_TO_STOP = 5.0
# A worker that ended within so many seconds of its start is replaced after a wait, which doubles each time.
SECONDS_OF_A_GOOD_RUN = 60.0
LONGEST_WAIT = 30.0
SECONDS_BETWEEN_LOOKS = 0.1
KERNEL_KEEPS_BYTES = 256 * 1024

logger = logging.getLogger(__name__)


class Place:
    """One of the workers, whichever process it is."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self.wait = 0.0

    def start(self, listener: socket.socket) -> None:
        # All have one queue of connections. With a queue for each, those in the queue of a worker that hangs would wait
        # for it, and be reset when it dies.
        fd = listener.fileno()
        command = [sys.executable, "-m", "config.serve", "worker", str(fd)]
        self.process = subprocess.Popen(command, pass_fds=[fd])  # noqa: S603 - our own program
        self.started_at = time.monotonic()

    def look_after(self, listener: socket.socket) -> None:
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_at:
                self.start(listener)
        elif (code := self.process.poll()) is not None:
            is_first = now - self.started_at > SECONDS_OF_A_GOOD_RUN
            self.wait = 0.0 if is_first else min(LONGEST_WAIT, self.wait * 2 or 0.5)
            how = f"signal {-code}" if code < 0 else f"status {code}"
            logger.error("Web worker %s ended with %s: another starts in %s seconds.", self.number, how, self.wait)
            self.process = None
            self.start_at = now + self.wait


def open_port(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # "::" is all addresses, those of IPv4 too.
    is_dual = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_dual)
    # Connections inherit it. What the kernel keeps for a client seems to have been sent, so it must not be much.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_KEEPS_BYTES)
    return listener


def supervise(host: str, port: int, *, workers: int) -> None:
    """Until SIGTERM or SIGINT. Workers that die, however often, are replaced."""
    with open_port(host, port) as listener:
        places = [Place(number + 1) for number in range(workers)]
        is_told = False

        def tell(number: int, frame: FrameType | None) -> None:
            nonlocal is_told
            is_told = True

        signal.signal(signal.SIGTERM, tell)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            # A shell that started us in the background handles Ctrl-C, and then sends us SIGTERM.
            signal.signal(signal.SIGINT, tell)
        try:
            while not is_told:
                for place in places:
                    place.look_after(listener)
                time.sleep(SECONDS_BETWEEN_LOOKS)
        finally:
            stop([place.process for place in places if place.process])


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + SECONDS_TO_STOP
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
