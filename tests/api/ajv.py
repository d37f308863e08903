"""ajv, by which most JavaScript clients validate: one process of Node.js that answers verdicts."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

VERSION = "8.20.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gumshoe-tests"

# A line names a schema that was sent before, by its number, or brings the next one.
SCRIPT = """
const Ajv = require("ajv/dist/2020").default;
const compiled = [];
function answer({schema, number, documents}) {
    if (schema === undefined) return documents.map((document) => compiled[number](document));
    compiled.push(new Ajv({strict: true, logger: false}).compile(schema));
    return compiled.length - 1;
}
require("readline").createInterface({input: process.stdin}).on("line", (line) => {
    let answered;
    try {
        answered = answer(JSON.parse(line));
    } catch (error) {
        answered = {error: error.message};
    }
    process.stdout.write(JSON.stringify(answered) + "\\n");
});
"""


class Ajv:
    def __init__(self, node: "subprocess.Popen[str]") -> None:
        self.node = node
        self.numbers: dict[str, int] = {}

    def verdicts(self, schema: Any, documents: list[Any]) -> list[bool]:
        """Raises AssertionError if ajv does not compile ``schema``."""
        text = json.dumps(schema)
        if text not in self.numbers:
            self.numbers[text] = self.ask({"schema": schema})
        found: list[bool] = self.ask({"number": self.numbers[text], "documents": documents})
        return found

    def ask(self, question: dict[str, Any]) -> Any:
        assert self.node.stdin is not None
        assert self.node.stdout is not None
        self.node.stdin.write(f"{json.dumps(question)}\n")
        self.node.stdin.flush()
        answer = json.loads(self.node.stdout.readline())
        assert not isinstance(answer, dict), answer["error"]
        return answer


@contextmanager
def running_ajv() -> Iterator[Ajv]:
    """Skips the test where there is no Node.js or no npm, except in CI."""
    if not shutil.which("node") or not shutil.which("npm"):
        do_without("there is no Node.js on this machine: apt install nodejs npm")
    with subprocess.Popen(
        ["node", "-e", SCRIPT], cwd=installed(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as node:
        yield Ajv(node)
        node.terminate()


def do_without(reason: str) -> NoReturn:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def installed() -> Path:
    """Where ajv is. It is installed once for all runs; of several processes that do so, the first one's stays."""
    place = CACHE / f"ajv-{VERSION}"
    if not place.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, ignore_cleanup_errors=True) as scratch:
            options = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1"]
            npm = ["npm", "install", *options, "--prefix", scratch, f"ajv@{VERSION}"]
            done = subprocess.run(npm, capture_output=True, text=True, check=False)
            if done.returncode:
                do_without(f"npm could not install ajv: {done.stderr.strip().partition(chr(10))[0]}")
            try:
                Path(scratch).rename(place)
            except OSError:
                assert place.exists()
    return place
