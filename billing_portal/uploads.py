"""Uploads are bounded while they arrive: a 200 MB file never reaches the disk."""

from __future__ import annotations

from typing import IO, Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http.request import QueryDict


class BoundedUpload(FileUploadHandler):
    """Ends the upload past `MAX_UPLOAD_BYTES` and marks the request, so that the view says so."""

    received = 0
    announced_too_large = False

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, Any],  # noqa: N803 - Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> tuple[QueryDict, Any] | None:
        # Django lets nobody stop here; the first file does. Fields before it, such as the CSRF
        # token, are read, so that the view is reached and can say what happened.
        self.announced_too_large = content_length > settings.MAX_UPLOAD_BYTES + 2**20
        return None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.announced_too_large:
            self._refuse()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.received += len(raw_data)
        if self.received > settings.MAX_UPLOAD_BYTES:
            self._refuse()
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None

    def _refuse(self) -> None:
        if self.request is not None:
            self.request.upload_too_large = True  # type: ignore[attr-defined]
        raise StopUpload(connection_reset=False)
