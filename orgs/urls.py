from django.urls import path

from orgs.views import audit, invitations, members, organization
from orgs.views import organization as start

urlpatterns = [
    path("", start.start, name="start"),
    path("organizations/new", organization.new_organization, name="new-organization"),
    path("invitations/<str:secret>", invitations.invitation, name="invitation"),
    path("<str:organization>/members", members.members, name="members"),
    path("<str:organization>/members/invite", invitations.invite, name="invite-member"),
    path("<str:organization>/members/leave", members.leave, name="leave-organization"),
    path("<str:organization>/members/<int:pk>", members.member, name="member"),
    path("<str:organization>/members/<int:pk>/remove", members.remove, name="remove-member"),
    path("<str:organization>/invitations/<int:pk>/resend", invitations.resend, name="resend-invitation"),
    path("<str:organization>/invitations/<int:pk>/revoke", invitations.revoke, name="revoke-invitation"),
    path("<str:organization>/settings", organization.settings, name="organization-settings"),
    path("<str:organization>/audit", audit.audit_log, name="audit-log"),
]
