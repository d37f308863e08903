"""Organization settings, and slugs: former ones go on working, nobody else's can be taken."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deployments.models import Deploy
from orgs.models import AuditEvent, FormerSlug, Organization, User
from orgs.organization_slugs import reserved_slugs
from orgs.services import create_organization, update_organization
from tests.conftest import World
from tests.factories import make_organization, signed_in
from tests.simultaneously import simultaneously

PAGE = "/acme/settings"


def save(user: User, page: str = PAGE, **fields: str) -> Any:
    return signed_in(user).post(page, {"name": "Acme", "slug": "acme", "time_zone": "UTC", **fields})


def rename(organization: Organization, slug: str) -> None:
    update_organization(organization=organization, slug=slug)


def test_who_may_change_settings(ci: World, owner: User, admin: User, developer: User, observer: User) -> None:
    for user in (developer, observer):
        assert signed_in(user).get(PAGE).status_code == 403
        assert save(user, name="Mine").status_code == 403
    for user in (owner, admin):
        assert signed_in(user).get(PAGE).status_code == 200
        assert save(user, name=f"Acme of {user.pk}").status_code == 302
        ci.organization.refresh_from_db()
        assert ci.organization.name == f"Acme of {user.pk}"


def test_strangers_do_not_find_them_and_the_anonymous_sign_in(ci: World, stranger: User) -> None:
    assert save(stranger).status_code == 404
    assert ci.client.post(PAGE, {})["Location"] == f"/accounts/login/?next={PAGE}"


def test_what_changed_is_in_the_log(ci: World, admin: User) -> None:
    save(admin, name="Acme Ltd", time_zone="Europe/Berlin")

    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.actor) == ("organization.changed", admin)
    assert event.changes == {"name": ["Acme", "Acme Ltd"], "time_zone": ["UTC", "Europe/Berlin"]}


def test_saving_what_is_there_changes_nothing(ci: World, admin: User) -> None:
    before = AuditEvent.objects.count()

    assert save(admin).status_code == 302
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", "a\0b"),
        ("name", "\u200b"),
        ("slug", ""),
        ("slug", "Not A Slug"),
        ("slug", "x" * 101),
        ("slug", "a\0b"),
        ("slug", "admin"),
        ("slug", "globex"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", ""),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    ci: World, other: World, admin: User, field: str, value: str
) -> None:
    response = save(admin, **{field: value})

    assert response.status_code == 200
    assert response.context["form"].errors[field]
    # The frame still shows what is stored.
    assert 'href="/acme/members"' in response.content.decode()
    ci.organization.refresh_from_db()
    assert (ci.organization.name, ci.organization.slug, ci.organization.time_zone) == ("Acme", "acme", "UTC")


def test_pages_under_a_former_slug_lead_to_the_present_one(ci: World, admin: User) -> None:
    assert save(admin, slug="ajax")["Location"] == "/ajax/settings"
    client = signed_in(admin)

    response = client.get("/acme/members?after=1&x=%20y")
    assert (response.status_code, response["Location"]) == (302, "/ajax/members?after=1&x=%20y")
    response = client.get("/acme")
    assert (response.status_code, response["Location"]) == (302, "/ajax")
    assert ">acme</li>" in client.get("/ajax/settings").content.decode()


def test_a_form_under_a_former_slug_is_posted_again(ci: World, admin: User) -> None:
    rename(ci.organization, "ajax")

    response = signed_in(admin).post(PAGE, {"name": "Ajax", "slug": "ajax", "time_zone": "UTC"}, follow=True)

    assert response.redirect_chain == [("/ajax/settings", 307), ("/ajax/settings", 302)]
    ci.organization.refresh_from_db()
    assert ci.organization.name == "Ajax"


def test_former_slugs_do_not_tell_strangers_anything(ci: World, stranger: User) -> None:
    rename(ci.organization, "ajax")

    assert signed_in(stranger).get("/acme/members").status_code == 404
    assert signed_in(stranger).get("/ajax/members").status_code == 404


def test_calls_under_a_former_slug_are_answered_without_a_redirect(ci: World) -> None:
    rename(ci.organization, "ajax")
    rename(ci.organization, "hector")

    for slug in ("acme", "ajax", "hector", "ACME"):
        response = ci.register(path=f"/api/1/deployments/{slug}/storefront/register_deploy", sha=f"sha-{slug}")
        assert (response.status_code, response.content) == (200, b"Success")
        assert response["Location"].startswith("/api/1/organizations/hector/")
    assert Deploy.objects.count() == 4


def test_calls_under_other_slugs_stay_unauthorized(ci: World, other: World) -> None:
    rename(other.organization, "initech")

    for slug in ("globex", "initech", "nobody", "a%00b"):
        path = f"/api/1/deployments/{slug}/storefront/register_deploy"
        assert ci.register(path=path, sha="x").status_code == 401


def test_the_present_slug_costs_a_call_no_query_more(ci: World) -> None:
    def queries(path: str) -> int:
        ci.register(path=path, sha=f"warm-{path}")
        with CaptureQueriesContext(connection) as captured:
            assert ci.register(path=path, sha=path).status_code == 200
        return len(captured)

    before = queries("/api/1/deployments/acme/storefront/register_deploy")
    rename(ci.organization, "ajax")
    assert queries("/api/1/deployments/ajax/storefront/register-deploy") == before
    assert queries("/api/1/deployments/acme/storefront/register-deploy") == before + 1


def test_a_slug_that_another_organization_had_is_refused(ci: World, other: World, admin: User) -> None:
    rename(other.organization, "initech")

    assert "another organization had it" in save(admin, slug="globex").content.decode()
    with pytest.raises(ValidationError, match="another organization had it"):
        create_organization(name="Globex", slug="globex")
    assert create_organization(name="Globex").slug == "globex-2"


def test_an_organization_takes_a_slug_of_its_own_back(ci: World) -> None:
    rename(ci.organization, "ajax")
    rename(ci.organization, "acme")

    assert ci.organization.slug == "acme"
    assert list(FormerSlug.objects.values_list("slug", flat=True)) == ["ajax"]


def test_our_own_addresses_are_reserved(ci: World) -> None:
    own = ["admin", "accounts", "api", "organizations", "invitations", "static", "healthz", "readyz", "v1", "graphql"]
    assert set(own) <= reserved_slugs()
    assert not {"acme", "members", "settings-of-ours"} & reserved_slugs()
    for slug in own:
        with pytest.raises(ValidationError, match="Gumshoe's own addresses"):
            rename(ci.organization, slug)
        with pytest.raises(ValidationError, match="Gumshoe's own addresses"):
            create_organization(name="X", slug=slug)
    assert create_organization(name="Admin").slug == "admin-2"


@pytest.mark.django_db(transaction=True)
def test_two_organizations_do_not_get_one_slug(ci: World) -> None:
    organizations = [make_organization() for _ in range(4)]

    def take(organization: Organization) -> bool:
        try:
            rename(organization, "wanted")
        except ValidationError:
            return False
        return True

    took = simultaneously(*(lambda organization=organization: take(organization) for organization in organizations))

    assert sum(took) == 1
    assert FormerSlug.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_slug_is_not_taken_while_its_owner_leaves_it(ci: World) -> None:
    organization = make_organization("restless")

    def take() -> bool:
        try:
            rename(organization, "acme")
        except ValidationError:
            return False
        return True

    took, _ = simultaneously(take, lambda: rename(ci.organization, "ajax"))

    assert not took
    assert FormerSlug.objects.get().organization == ci.organization


def test_the_zones_are_places_or_offsets(ci: World, admin: User) -> None:
    page = signed_in(admin).get("/acme/settings")

    offered = {value for value, _ in page.context["form"].fields["time_zone"].choices}

    assert {"UTC", "Europe/Berlin", "America/Sao_Paulo"} <= offered
    assert not offered & {"Factory", "localtime", "posixrules"}


class TestTimes:
    """All times on an organization's pages are in its zone."""

    def page(self, ci: World, member: User, zone: str) -> str:
        Organization.objects.update(time_zone=zone)
        ci.register(sha="a", date="2024-07-01T23:30:00Z")
        deploy = ci.organization.deploys.get(sha="a")
        return (
            signed_in(member)
            .get(reverse("deploy-page", kwargs={"organization": "acme", "deploy": deploy.pk}))
            .content.decode()
        )

    def test_as_words_with_the_time_on_hover(self, ci: World, observer: User) -> None:
        assert 'title="2024-07-02 01:30:00 CEST"' in self.page(ci, observer, "Europe/Berlin")

    def test_in_utc_by_default(self, ci: World, observer: User) -> None:
        assert 'title="2024-07-01 23:30:00 UTC"' in self.page(ci, observer, "UTC")

    def test_the_zone_of_one_page_is_not_that_of_the_next(self, ci: World, observer: User) -> None:
        self.page(ci, observer, "Europe/Berlin")

        assert timezone.get_current_timezone_name() == "UTC"
