"""What is answered where no view answered: text to calls of the API, Django's pages to people."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from config.api_paths import is_api_call
from deployments.api import answers


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api_call(request):
        return answers.answer_text(400, "The request cannot be read: send it as the API's pages show.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_api_call(request):
        return answers.server_error(request)
    return defaults.server_error(request)
