"""The facts about this machine and installation that a number needs beside it."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

PACKAGES = ("django", "djangorestframework", "httptools", "uvloop", "psycopg", "jsonschema-rs", "django-ratelimit")


def describe(postgres_url: str) -> dict[str, Any]:
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT current_setting('server_version')").fetchone()
    return {
        "cores": os.cpu_count(),
        "cpu": cpu[1] if cpu else platform.machine(),
        "memory_gb": round(int(memory[1]) / 1024**2, 1) if memory else None,
        "kernel": platform.release(),
        # What else was running: measured on an idle machine it is about 0.
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "postgresql": row[0] if row else None,
        "packages": {name: version(name) for name in PACKAGES},
    }
