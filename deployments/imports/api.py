"""Sleuth's ``import_deploys``: a CSV file becomes the history of a deployment in an environment."""

import hashlib
from typing import Any, BinaryIO

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from deployments.api.answers import answer_text
from deployments.api.dry_run import answer_dry_run
from deployments.api.views import ENDED_EARLY, FieldsParser, encoding_of
from deployments.errors import BodyTooLarge, InvalidField, UnknownEncoding, UnreadableBody
from deployments.imports.file import HistoryFile, fixed_cells
from deployments.imports.file_history import as_history
from deployments.imports.importing import count_import, import_history
from deployments.imports.upload import FILE_FIELD, Upload, is_multipart, read_upload
from deployments.models import HistoryImport
from deployments.models.call import IMPORT_KIND, MAX_BODY_BYTES_KEPT
from deployments.registration.idempotency import answer_stored, name_call, remember, replay
from deployments.registration.report import slugs_of
from deployments.registration.targets import choose_target, find_deployment
from deployments.request_log.endpoint import CallView
from deployments.token_limits import check_allowed
from orgs.audit import acting_as
from orgs.models import Environment
from orgs.text import shortened
from tokens.scopes import Scope

UPLOAD = "gumshoe.upload"
DIGESTED_AT_ONCE = 1024 * 1024
MODES = ("add", "replace")


class UploadParser(BaseParser):
    """``request.data`` is the fields of a multipart body, whose file is put aside; other bodies are read for the token
    that they may carry."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        request: HttpRequest = parser_context["request"]._request  # noqa: SLF001 - DRF has no public name for it
        content_type = request.META.get("CONTENT_TYPE", "")
        if not is_multipart(content_type):
            return FieldsParser().parse(stream, media_type, parser_context)
        if encoding_of(request):
            raise UnknownEncoding("A file is not taken with a Content-Encoding: send it uncompressed.")
        length = int(request.META["CONTENT_LENGTH"])
        if length > settings.MAX_IMPORT_BYTES:
            raise BodyTooLarge(
                f"The body is larger than {settings.MAX_IMPORT_BYTES} bytes: leave out columns or old rows."
            )
        try:
            upload = read_upload(request, content_type, length)
        except UnreadablePostError:
            raise UnreadableBody(ENDED_EARLY) from None
        request.META[UPLOAD] = upload
        return upload.fields


class ImportDeploysView(CallView):
    kind = IMPORT_KIND
    required_scope = Scope.IMPORT_DEPLOYS
    parser_classes = (UploadParser,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            upload_of(request).close()

    def post(self, request: Request, organization: str, deployment: str) -> HttpResponse:
        targets = find_deployment(token=self.token, slug=deployment)
        fields = self.read_fields()
        environment = fields.get("environment") or ""
        if not isinstance(environment, str):
            raise InvalidField("environment must be given once.")
        replaces = asks_to_replace(fields.get("mode"))
        upload = upload_of(request)
        if upload.file is None:
            raise InvalidField(f"{FILE_FIELD} is required: send a CSV file as curl -F {FILE_FIELD}=@deploys.csv does.")
        # The answer repeats the name, and no environment's name is longer than this.
        target = choose_target(targets, environment=shortened(environment.strip(), 200))
        check_allowed(self.token, environment_id=target.environment_id)
        call = name_call(
            request,
            token_id=self.token.id,
            called=f"import_deploys {target.deployment_id}",
            fields={**fields, FILE_FIELD: digest_of_file(upload.file)},
        )
        if call and not self.is_dry_run and (remembered := call.remembered()):
            return replay(remembered, call.fingerprint)
        fixed = fixed_cells(
            deployment_slug=target.deployment_slug,
            environment_slug=target.environment_slug,
            environment_name=target.environment_name,
            aliases=Environment(pk=target.environment_id).aliases,
        )
        # Before the transaction: on SQLite nobody else can write during it.
        new = as_history(
            HistoryFile(upload.file, fixed=fixed).read_all(), records_redeploys=bool(target.records_redeploys)
        )

        def store() -> HistoryImport:
            with acting_as(self.actor):
                return import_history(
                    target=target,
                    new=new,
                    replaces=replaces,
                    token_id=self.token.id,
                    imported_by=self.actor.label,
                    file_name=upload.file_name,
                )

        if self.is_dry_run:
            # Without the writing of other dry runs: on SQLite everybody would wait for it.
            counted = count_import(target=target, new=new, replaces=replaces)
            counts = {**represent_import(counted), "rollbacks": len(new.rollbacks()[0])}
            report = slugs_of(target, self.token.organization_slug) | counts
            return answer_dry_run("import", report, would_answer=answer_text(200, "Success"))

        def answer_import() -> HttpResponse:
            done = store()
            return answer_stored(request, answer_text(200, "Success"), {}, lambda: represent_import(done))

        return remember(call, answer_import) if call else answer_import()

    def answer_in_log(self, response: Any) -> str:
        """Thousands of lines may be wrong. The log cuts this again after it has redacted secrets."""
        return super().answer_in_log(response)[:2_000]

    def body_to_keep(self, request: HttpRequest) -> tuple[bytes, int]:
        """The fields, and the file's name and length."""
        upload = request.META.get(UPLOAD)
        if upload is None:
            return super().body_to_keep(request)
        parts = [f"{name}={value}" for name, value in upload.fields.items() if name.lower() != "api_key"]
        if upload.file:
            parts.append(f"{FILE_FIELD}={upload.file_name} ({upload.file_size} bytes, not kept)")
        kept = "\n".join(parts).encode("utf-8", "replace")
        return kept[:MAX_BODY_BYTES_KEPT], int(request.META["CONTENT_LENGTH"])


def digest_of_file(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(DIGESTED_AT_ONCE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def asks_to_replace(mode: Any) -> bool:
    """Sleuth's import replaces, so this is the default. Raises InvalidField."""
    if mode not in (None, "", *MODES):
        raise InvalidField("mode must be add, which keeps what is there, or replace, which is the default.")
    return bool(mode != "add")


def upload_of(request: Any) -> Upload:
    """Empty if the body has none or was not read."""
    upload: Upload = request.META.get(UPLOAD) or Upload()
    return upload


def represent_import(done: HistoryImport) -> dict[str, Any]:
    return {
        "deploys": done.deploy_count,
        "duplicates": done.duplicate_count,
        "unsuccessful": done.unsuccessful_count,
        "replaced": done.replaced_count,
    }
