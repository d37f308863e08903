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
    """Django admin hands ids and look-ups of an address or a form to the database as they come, which is a server error
    where they can be none: NUL, a number past 64 bits, letters for a number. Here it is a 400."""

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        return super().admin_view(refusing_what_is_no_value(view), cacheable)


def refusing_what_is_no_value(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Django's search tells of it beside its field.
        if any("\0" in value for name, values in request.GET.lists() if name != SEARCH_VAR for value in values):
            raise BadRequest("A value in the address contains a NUL character.")
        try:
            response = view(request, *args, **kwargs)
            # Here and not later, since widgets look up what was chosen while they are rendered.
            return response.render() if hasattr(response, "render") else response
        except (OverflowError, DataError) as error:
            raise BadRequest("A value is out of range.") from error
        except (IndexError, ProgrammingError, TypeError, ValueError) as error:
            if request.GET or "expected a number" in str(error):
                raise BadRequest("A value in the address or the form is none of its kind.") from error
            raise

    return guarded
