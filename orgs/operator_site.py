from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import BadRequest
from django.db import DataError, ProgrammingError
from django.http import HttpRequest

View = Callable[..., Any]


class OperatorSite(AdminSite):
    """Django admin passes ids and look-ups of an address or a form to the database unchecked. NUL, numbers beyond 64
    bits and letters in place of a number would be a server error. Here they are a 400."""

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        return super().admin_view(rejecting_bad_values(view), cacheable)


def rejecting_bad_values(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Django's search reports it next to its field.
        if any("\0" in value for name, values in request.GET.lists() if name != SEARCH_VAR for value in values):
            raise BadRequest("A value in the address contains a NUL character.")
        try:
            response = view(request, *args, **kwargs)
            # Rendered here, since widgets look up the chosen values while they are rendered.
            return response.render() if hasattr(response, "render") else response
        except (OverflowError, DataError) as error:
            raise BadRequest("A value is out of range.") from error
        except (IndexError, ProgrammingError, TypeError, ValueError) as error:
            if request.GET or "expected a number" in str(error):
                raise BadRequest("A value in the address or the form has the wrong type.") from error
            raise

    return guarded
