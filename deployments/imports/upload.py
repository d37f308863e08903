"""A multipart body with a file → its fields and its file, in little memory even if they are large."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import (
    FileUploadHandler,
    MemoryFileUploadHandler,
    SkipFile,
    TemporaryFileUploadHandler,
)
from django.http.multipartparser import MultiPartParser

from deployments.api.body import MULTIPART, UNENDED, explaining_multipart, fields_of_parts, label_of
from deployments.errors import UnreadableBody
from orgs.text import storable

FILE_FIELD = "csv_file"


@dataclass(slots=True)
class Upload:
    """``file`` is None if the body brings none. Close it: a large one is a temporary file."""

    fields: dict[str, Any] = field(default_factory=dict)
    file: BinaryIO | None = None
    file_name: str = ""
    file_size: int = 0

    def close(self) -> None:
        if self.file:
            self.file.close()


def is_multipart(content_type: str) -> bool:
    return label_of(content_type).get_content_type() == MULTIPART


def read_upload(stream: Any, content_type: str, content_length: int) -> Upload:
    """Raises UnreadableBody."""
    with explaining_multipart("send one file"):
        try:
            return parse(stream, label_of(content_type).get_boundary() or "", content_length)
        except RequestDataTooBig:
            raise UnreadableBody(
                f"{FILE_FIELD} is no file: send it as curl -F {FILE_FIELD}=@deploys.csv does."
            ) from None


def parse(stream: Any, boundary: str, content_length: int) -> Upload:
    meta = {"CONTENT_TYPE": f'{MULTIPART}; boundary="{boundary}"', "CONTENT_LENGTH": content_length}
    handlers = [MemoryFileUploadHandler(), TemporaryFileUploadHandler()]
    body: Any = WatchedBody(stream, boundary)
    # Latin-1 keeps each byte. Django's parser would replace bytes that are not UTF-8.
    fields, files = MultiPartParser(meta, body, handlers, "latin-1").parse()
    file = files.get(FILE_FIELD)
    for other in (sent for _, several in files.lists() for sent in several if sent is not file):
        other.close()
    try:
        body.exhaust()
        if not body.is_whole:
            raise UnreadableBody(UNENDED)
        return as_upload(fields_of_parts(fields), file)
    except BaseException:
        if file:
            file.close()
        raise


def as_upload(fields: dict[str, Any], sent: Any) -> Upload:
    text = fields.pop(FILE_FIELD, None)
    if sent is not None:
        name = (sent.name or "").encode("latin-1", "replace").decode("utf-8", "replace")
        return Upload(fields, sent.file, storable(name), sent.size or 0)
    if isinstance(text, str):
        # curl -F 'csv_file=<deploys.csv' sends the file's content as a field.
        data = text.encode()
        return Upload(fields, BytesIO(data), "", len(data))
    return Upload(fields)


class WatchedBody:
    """Notices whether the last boundary came: without it, Django's parser takes what it has for the whole body."""

    def __init__(self, stream: Any, boundary: str) -> None:
        self.stream = stream
        self.end = f"--{boundary}--".encode("latin-1", "replace")
        self.tail = b""
        self.is_whole = False

    def read(self, size: int = 64 * 1024) -> bytes:
        data: bytes = self.stream.read(size)
        if not self.is_whole:
            self.tail += data
            self.is_whole = self.end in self.tail
            self.tail = self.tail[-len(self.end) :]
        return data

    def exhaust(self) -> None:
        while self.read():
            pass


class BoundedUpload(FileUploadHandler):
    """Drops the files of a body that is too large before Django's handlers fill the disk with them.

    The form finds its file missing.
    """

    too_large = False

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *more: Any, **named: Any) -> None:  # noqa: N803 - Django's
        self.too_large = content_length > settings.MAX_IMPORT_BYTES

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if self.too_large:
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Another handler has it."""
