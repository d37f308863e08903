"""What the operator changes is in the audit log of the organization that it concerns."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from orgs.models import AuditEvent, Membership, Organization, Project, User
from tests.conftest import World
from tests.factories import make_project
from tests.operator import OperatorClient


def after(last: AuditEvent | None) -> list[tuple[str, str, str, Any]]:
    events = AuditEvent.objects.filter(id__gt=last.pk if last else 0).order_by("id")
    return [(event.actor_label, event.action, event.subject_label, event.changes) for event in events]


def last_event() -> AuditEvent | None:
    return AuditEvent.objects.first()


ME = "operator@example.com"


def test_what_services_record_names_the_operator(operator: OperatorClient) -> None:
    operator.add(Organization, name="Acme", **{"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0})

    assert after(None) == [(ME, "organization.created", "Acme", {"name": "Acme", "slug": "acme"})]


def test_a_change_of_a_row(operator: OperatorClient, ci: World) -> None:
    last = last_event()
    operator.change(ci.project, name="Store")
    operator.change(ci.project, name="Store")

    assert after(last) == [(ME, "project.changed", "Store", {"name": ["Shop", "Store"]})]


def test_members_one_by_one(operator: OperatorClient, ci: World) -> None:
    user = User.objects.create_user("ada@example.com")
    last = last_event()
    operator.add(Membership, organization=ci.organization.pk, user=user.pk, role="admin")
    operator.change(Membership.objects.get(), role="owner")
    operator.delete_object(Membership.objects.get())

    assert after(last) == [
        (ME, "member.added", "ada@example.com", {"role": "admin"}),
        (ME, "member.changed", "ada@example.com", {"role": ["admin", "owner"]}),
        (ME, "member.deleted", "ada@example.com", {"role": "owner"}),
    ]


def test_members_on_the_organization_s_page(operator: OperatorClient, ci: World) -> None:
    user = User.objects.create_user("ada@example.com")
    last = last_event()
    rows = {
        "memberships-TOTAL_FORMS": 1,
        "memberships-0-user": user.pk,
        "memberships-0-organization": ci.organization.pk,
    }
    operator.change(
        ci.organization, name="Acme", **rows, **{"memberships-INITIAL_FORMS": 0, "memberships-0-role": "admin"}
    )
    rows |= {"memberships-INITIAL_FORMS": 1, "memberships-0-id": Membership.objects.get().pk}
    operator.change(ci.organization, name="Acme", **rows, **{"memberships-0-role": "owner"})
    operator.change(
        ci.organization, name="Acme", **rows, **{"memberships-0-role": "owner", "memberships-0-DELETE": "on"}
    )

    assert [event[1:] for event in after(last)] == [
        ("member.added", "ada@example.com", {"role": "admin"}),
        ("member.changed", "ada@example.com", {"role": ["admin", "owner"]}),
        ("member.deleted", "ada@example.com", {"role": "owner"}),
    ]


def test_deletion(operator: OperatorClient, ci: World) -> None:
    project = make_project(ci.organization, "Bank")
    last = last_event()
    operator.delete_object(project)

    assert after(last) == [(ME, "project.deleted", "Bank", {})]
    assert not Project.objects.filter(pk=project.pk).exists()


def test_a_former_address_no_longer_leads_to_the_account(operator: OperatorClient) -> None:
    user = User.objects.create_user("old@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True)
    operator.change(user, email="new@example.com")

    user.refresh_from_db()
    assert user.email == "new@example.com"
    assert EmailAddress.objects.get().email == "new@example.com"


def provision(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document))
    call_command("provision", str(path), stdout=StringIO())


def test_provisioning_names_itself_and_keeps_the_last_owner(db: None, tmp_path: Path) -> None:
    member = {"email": "ada@example.com", "role": "owner"}
    organization = {"slug": "acme", "members": [member]}
    provision(tmp_path / "file.json", {"organizations": [organization]})

    assert {event[0] for event in after(None)} == {"provision"}
    member["role"] = "observer"
    with pytest.raises(CommandError, match=r"ada@example\.com is the last owner of Acme"):
        provision(tmp_path / "file.json", {"organizations": [organization]})
    assert Membership.objects.get().role == "owner"
