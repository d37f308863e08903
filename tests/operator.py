"""A superuser's browser in Django admin."""

import re
from typing import Any

from django.db.models import Model
from django.test import Client
from django.urls import reverse

from orgs.models import User


class OperatorClient(Client):
    """Signed in as a superuser."""

    def __init__(self) -> None:
        super().__init__()
        self.force_login(User.objects.create_superuser("operator@example.com"))

    def add(self, model: type[Model], **fields: Any) -> Any:
        return self.post(page("add", model), fields)

    def change(self, obj: Model, **fields: Any) -> Any:
        return self.post(page("change", obj), fields)

    def delete_object(self, obj: Model) -> Any:
        return self.post(page("delete", obj), {"post": "yes"})


def page(name: str, of: type[Model] | Model) -> str:
    """The address of a page: ``changelist`` or ``add`` of a model, ``change`` or ``delete`` of an object."""
    args = [of.pk] if isinstance(of, Model) else []
    return reverse(f"admin:{of._meta.app_label}_{of._meta.model_name}_{name}", args=args)


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def problems(response: Any) -> str:
    """What a form that was refused says."""
    assert response.status_code == 200, response
    found = re.findall(r'(?s)<ul class="errorlist.*?</ul>', response.content.decode())
    assert found, "The form says nothing."
    return " ".join(re.sub(r"<[^>]+>", " ", " ".join(found)).split())


def saved(response: Any) -> bool:
    return bool(response.status_code == 302)
