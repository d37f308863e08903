import os
import signal
import threading
import time

SECONDS_BETWEEN_CHECKS = 0.5
SECONDS_TO_STOP = 5


def end_with_parent() -> None:
    """End this process as SIGTERM would, once its parent has died, even if the parent was killed."""
    threading.Thread(target=watch, args=(os.getppid(),), daemon=True, name="end-with-parent").start()


def watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_CHECKS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_STOP)
    os.kill(os.getpid(), signal.SIGKILL)
