"""The folder of files that stands in for a broker."""

import json
import logging
from pathlib import Path

logger = logging.getLogger(__name__)


def clear_leftovers(folder: Path) -> None:
    """Delete what a full disk left unfinished, since a worker ends when it reads that.

    Nothing is lost by it: messages only hasten what the periodic jobs find, and tables of exchanges are made anew.
    """
    for file in folder.iterdir():
        if file.name.endswith((".msg", ".exchange")) and not is_whole(file):
            logger.warning("Deleted %s, which was left unfinished.", file)
            file.unlink(missing_ok=True)


def is_whole(file: Path) -> bool:
    """A message is an object, a table a list of a routing key, a pattern and a queue for each queue."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    if file.name.endswith(".msg"):
        return isinstance(content, dict)
    return isinstance(content, list) and all(isinstance(queue, list) and len(queue) == 3 for queue in content)
