"""What is answered where no view answered: text to calls of the API, Django's pages to people."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from deployments.api import answers


def is_api_call(request: HttpRequest) -> bool:
    return request.path_info.startswith(settings.API_PATH_PREFIXES)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api_call(request):
        return answers.answer_text(400, "The request cannot be read: send it as the API's pages show.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_api_call(request):
        return answers.server_error(request)
    return defaults.server_error(request)
