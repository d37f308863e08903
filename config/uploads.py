from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile


class BoundedUpload(FileUploadHandler):
    """Stands before Django's handlers and drops the files of a body that is too large, where they would fill the disk.

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
