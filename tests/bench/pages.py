"""Measures pages: each at few and at many deploys, one after the other, so that both meet the same machine."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from tests.bench.addresses import EMAIL, PASSWORD, Filled
from tests.bench.measure import RATE_LIMIT
from tests.bench.processes import python, serve

FEW, MANY = 10_000, 1_000_000
MOST_MANY_TO_FEW = 1.5
# A page that seems too slow is asked for so many times as often: another program may have been the reason.
AGAIN = 3
# By then statements are prepared and templates read.
WARM_UPS = 3
LOGIN = "/accounts/login/"


class Reader:
    """A browser, as far as it takes one to ask a server for pages, over one connection."""

    def __init__(self, port: int, filled: Filled) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self.filled = filled
        self.cookies: dict[str, str] = {}
        status, page = self.ask("GET", LOGIN)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        if status != 200 or token is None:
            raise SystemExit(f"no page to sign in at: {status}")
        status, _ = self.ask("POST", LOGIN, {"login": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": token[1]})
        if status != 302:
            raise SystemExit(f"signing in was answered {status}")

    def ask(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Also where the page leads to, unless somebody would have to sign in there."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if path.startswith("/api/1/"):
            headers = {"Authorization": f"Bearer {self.filled.token}"}
        self.connection.request(method, path, urlencode(fields) if fields else None, headers)
        response = self.connection.getresponse()
        body = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        leads_to = response.headers.get("Location", "")
        if method == "GET" and leads_to and not leads_to.startswith(LOGIN):
            return self.ask("GET", leads_to)
        return response.status, body

    def time(self, name: str) -> tuple[float, float]:
        """Milliseconds until the whole page is here, and its kilobytes."""
        began = perf_counter()
        status, body = self.ask("GET", self.filled.addresses[name])
        took = (perf_counter() - began) * 1000
        if status != 200:
            raise SystemExit(f"{name} ({self.filled.addresses[name]}) was answered {status}: {body[:300]}")
        return took, len(body) / 1024


@dataclass(frozen=True)
class PageTime:
    """Medians in milliseconds at FEW and at MANY deploys. The kilobytes tell a page that shows more rows from one that
    takes longer for as many."""

    name: str
    few: float
    many: float
    few_kilobytes: float
    many_kilobytes: float

    @property
    def ratio(self) -> float:
        return self.many / self.few

    def row(self) -> dict[str, Any]:
        return {
            "page": self.name,
            "few_ms": round(self.few, 1),
            "many_ms": round(self.many, 1),
            "ratio": round(self.ratio, 2),
            "few_kb": round(self.few_kilobytes),
            "many_kb": round(self.many_kilobytes),
        }


def settings_for(directory: Path, postgres_url: str | None) -> dict[str, str]:
    """SQLite where there is no ``postgres_url``. One page is asked for at a time, so one worker serves it."""
    directory.mkdir(exist_ok=True)
    return {
        **os.environ,
        "DEBUG": "false",
        "SECRET_KEY": "a key for measuring, with nothing behind it",
        "VAR_DIR": str(directory),
        "DATABASE_URL": postgres_url or f"sqlite:///{directory}/gumshoe.sqlite3",
        "API_RATE_LIMIT": RATE_LIMIT,
        "WEB_WORKERS": "1",
        "WEB_THREADS": "1",
    }


def fill(environment: Mapping[str, str], deploys: int) -> Filled:
    return Filled.from_json(python("-m", "tests.bench.addresses", str(deploys), environment=environment))


@contextmanager
def read(environment: Mapping[str, str], filled: Filled) -> Iterator[Reader]:
    with serve(environment, Path(environment["VAR_DIR"]) / "server.log") as server:
        yield Reader(server.port, filled)


def compare(few: Reader, many: Reader, *, times: int) -> Iterator[PageTime]:
    for name in few.filled.addresses:
        for _ in range(WARM_UPS):
            for reader in (few, many):
                reader.time(name)
        took: dict[Reader, list[float]] = {few: [], many: []}
        page = compare_page(name, took, times)
        if page.ratio > MOST_MANY_TO_FEW:
            page = compare_page(name, took, times * AGAIN)
        yield page


def compare_page(name: str, took: dict[Reader, list[float]], times: int) -> PageTime:
    """By what it ``took`` before, too."""
    kilobytes: dict[Reader, float] = {}
    for number in range(times):
        # Neither is always the first.
        for reader in took if number % 2 else reversed(took):
            milliseconds, kilobytes[reader] = reader.time(name)
            took[reader].append(milliseconds)
    return PageTime(name, *(median(took[reader]) for reader in took), *(kilobytes[reader] for reader in took))


def measure_pages(directory: Path, *, postgres_urls: tuple[str, str] | None, times: int) -> Iterator[PageTime]:
    """In two empty databases, on SQLite where there are no ``postgres_urls``. ``directory`` takes what is written."""
    few, many = (
        settings_for(directory / name, url)
        for name, url in zip(("few", "many"), postgres_urls or (None, None), strict=True)
    )
    filled_few, filled_many = fill(few, FEW), fill(many, MANY)
    with read(few, filled_few) as reader_of_few, read(many, filled_many) as reader_of_many:
        yield from compare(reader_of_few, reader_of_many, times=times)
