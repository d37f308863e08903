"""Members: who sees them, who changes whom, and the last owner."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgs.models import AuditEvent, Membership, User
from orgs.roles import Role
from orgs.services import change_role, remove_member
from tests.conftest import World
from tests.factories import make_member, signed_in
from tests.simultaneously import simultaneously

PAGE = "/acme/members"


def membership(user: User) -> Membership:
    return Membership.objects.get(user=user)


def page_of_member(user: User) -> str:
    return f"{PAGE}/{membership(user).pk}"


def test_every_member_sees_the_members_and_what_their_roles_may(
    ci: World, owner: User, admin: User, developer: User, observer: User
) -> None:
    for user in (owner, admin, developer, observer):
        html = signed_in(user).get(PAGE).content.decode()
        assert all(member.email in html for member in (owner, admin, developer, observer))
        assert "make and unmake owners" in html


def test_strangers_do_not_find_the_page_and_the_anonymous_sign_in(ci: World, stranger: User) -> None:
    assert signed_in(stranger).get(PAGE).status_code == 404
    response = ci.client.get(PAGE)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={PAGE}")


def test_only_those_who_manage_members_are_offered_it(
    ci: World, owner: User, admin: User, developer: User, observer: User
) -> None:
    for user in (developer, observer):
        assert page_of_member(observer) not in signed_in(user).get(PAGE).content.decode()
        assert signed_in(user).get(page_of_member(observer)).status_code == 403
        assert signed_in(user).post(page_of_member(observer), {"role": "admin"}).status_code == 403
        assert signed_in(user).post(f"{page_of_member(observer)}/remove").status_code == 403
    html = signed_in(admin).get(PAGE).content.decode()
    assert page_of_member(observer) in html
    assert page_of_member(owner) not in html
    assert page_of_member(owner) in signed_in(owner).get(PAGE).content.decode()


def test_an_admin_changes_a_role_and_the_log_says_so(ci: World, admin: User, developer: User) -> None:
    response = signed_in(admin).post(page_of_member(developer), {"role": "observer"}, REMOTE_ADDR="192.0.2.7")

    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert membership(developer).role == Role.OBSERVER
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.actor, event.address, event.action) == (admin, "192.0.2.7", "member.changed")
    assert (event.subject_label, event.changes) == (developer.email, {"role": ["developer", "observer"]})


def test_an_admin_neither_makes_nor_unmakes_owners(ci: World, owner: User, admin: User, developer: User) -> None:
    client = signed_in(admin)

    assert client.post(page_of_member(developer), {"role": "owner"}).status_code == 200
    assert client.post(page_of_member(admin), {"role": "owner"}).status_code == 200
    assert client.post(page_of_member(owner), {"role": "observer"}).status_code == 403
    assert client.post(f"{page_of_member(owner)}/remove").status_code == 403
    assert [membership(user).role for user in (owner, admin, developer)] == ["owner", "admin", "developer"]


def test_an_owner_makes_and_unmakes_owners(ci: World, owner: User, admin: User) -> None:
    client = signed_in(owner)

    client.post(page_of_member(admin), {"role": "owner"})
    assert membership(admin).role == Role.OWNER
    client.post(page_of_member(admin), {"role": "developer"})
    assert membership(admin).role == Role.DEVELOPER


def test_a_role_that_changed_since_the_page_was_shown_counts(ci: World, owner: User, admin: User) -> None:
    """The service asks again, whatever the caller's membership said when it was read."""
    by, seen = membership(admin), membership(make_member(ci.organization, Role.DEVELOPER))
    change_role(membership=membership(seen.user), role=Role.OWNER)

    with pytest.raises(ValidationError, match="may not make and unmake owners"):
        change_role(membership=seen, role=Role.OBSERVER, by=by)
    change_role(membership=membership(admin), role=Role.OBSERVER)
    with pytest.raises(ValidationError, match="may not invite, change and remove members"):
        remove_member(membership=membership(make_member(ci.organization, Role.OBSERVER)), by=by)


def test_removing_asks_first_and_then_ends_access(ci: World, admin: User, developer: User) -> None:
    url = f"{page_of_member(developer)}/remove"

    assert "keep working" in signed_in(admin).get(url).content.decode()
    assert signed_in(developer).get(PAGE).status_code == 200
    signed_in(admin).post(url)
    assert signed_in(developer).get(PAGE).status_code == 404
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.subject_label) == ("member.removed", developer.email)


def test_members_of_others_are_not_found(ci: World, admin: User, stranger: User) -> None:
    other = page_of_member(stranger)

    assert signed_in(admin).get(other).status_code == 404
    assert signed_in(admin).post(f"{other}/remove").status_code == 404


def test_a_member_leaves(ci: World, observer: User) -> None:
    client = signed_in(observer)

    assert client.get(f"{PAGE}/leave").status_code == 200
    assert client.post(f"{PAGE}/leave")["Location"] == "/"
    assert client.get(PAGE).status_code == 404
    event = AuditEvent.objects.first()
    assert event is not None
    assert event.action == "member.left"


def test_the_last_owner_can_neither_leave_nor_be_demoted_nor_removed(ci: World, owner: User) -> None:
    client, url = signed_in(owner), page_of_member(owner)

    assert "is the last owner" in client.post(url, {"role": "admin"}).content.decode()
    assert "is the last owner" in client.post(f"{url}/remove", follow=True).content.decode()
    assert "is the last owner" in client.post(f"{PAGE}/leave", follow=True).content.decode()
    assert membership(owner).role == Role.OWNER


def test_an_owner_who_may_not_sign_in_is_no_other_owner(ci: World, owner: User) -> None:
    second = make_member(ci.organization, Role.OWNER)
    User.objects.filter(pk=second.pk).update(is_active=False)

    with pytest.raises(ValidationError, match="is the last owner"):
        remove_member(membership=membership(owner))


def test_a_removed_member_is_not_removed_twice(ci: World, developer: User) -> None:
    seen = membership(developer)
    remove_member(membership=membership(developer))

    with pytest.raises(ValidationError, match="is no longer a member"):
        remove_member(membership=seen)
    with pytest.raises(ValidationError, match="is no longer a member"):
        change_role(membership=seen, role=Role.ADMIN)


def demote(user: User) -> None:
    change_role(membership=membership(user), role=Role.DEVELOPER)


def remove(user: User) -> None:
    remove_member(membership=membership(user))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", [demote, remove])
@pytest.mark.parametrize("second", [demote, remove])
def test_two_owners_do_not_go_at_the_same_moment(
    ci: World, first: Callable[[User], None], second: Callable[[User], None]
) -> None:
    users = [make_member(ci.organization, Role.OWNER) for _ in range(2)]

    def run(act: Callable[[User], None], user: User) -> str:
        try:
            act(user)
        except ValidationError as error:
            return error.messages[0]
        return ""

    refusals = simultaneously(lambda: run(first, users[0]), lambda: run(second, users[1]))

    assert sum("is the last owner" in refusal for refusal in refusals) == 1
    assert Membership.objects.filter(organization=ci.organization, role=Role.OWNER).count() == 1


def test_the_page_takes_as_many_queries_for_three_members_as_for_one(ci: World, admin: User) -> None:
    counts = []
    for more in (0, 2):
        for _ in range(more):
            make_member(ci.organization, Role.DEVELOPER)
        client = signed_in(admin)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(PAGE).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_many_members_come_in_pages(ci: World, admin: User) -> None:
    addresses = {admin.email, *(make_member(ci.organization, Role.OBSERVER).email for _ in range(120))}
    client, url, seen = signed_in(admin), PAGE, []
    while url:
        page = client.get(url).context["page"]
        seen += [row.email for row in page.rows]
        url = f"{PAGE}?after={page.following}" if page.following else ""

    assert len(seen) == len(addresses)
    assert seen == sorted(addresses)


def test_a_path_that_can_be_no_slug_is_not_found(ci: World, admin: User) -> None:
    assert signed_in(admin).get("/ac%00me/members").status_code == 404
    assert signed_in(admin).get("/Acme!/members").status_code == 404
