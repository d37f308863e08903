"""Posting files of past deploys as curl does."""

from typing import Any

from tests.calls import BOUNDARY, MULTIPART, bearer, call
from tests.conftest import World


def file_part(data: bytes | str, *, name: str = "csv_file", file_name: str = "deploys.csv") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
    content = data.encode() if isinstance(data, str) else data
    return head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n"


def field_part(name: str, value: str | bytes) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def import_path(world: World) -> str:
    return world.path.replace("register_deploy", "import_deploys")


def post_file(
    world: World, data: bytes | str, *, query: str = "", headers: dict[str, str] | None = None, **fields: str
) -> Any:
    """``headers`` are those of the token by default."""
    parts = [field_part(name, value) for name, value in fields.items()]
    return call(
        import_path(world) + query,
        b"".join([*parts, file_part(data), END]),
        content_type=MULTIPART,
        headers=bearer(world.secret) if headers is None else headers,
    )


def rows(*lines: str) -> str:
    """A file of these lines below ``sha,date``."""
    return "".join(f"{line}\n" for line in ("sha,date", *lines))


def dated(shas: str) -> str:
    """A file of one deploy a day from the first of May on: ``a b a``."""
    return rows(*(f"{sha},2024-05-{day:02}T12:00:00Z" for day, sha in enumerate(shas.split(), 1)))
