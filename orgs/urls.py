from django.urls import path

from orgs.views import members, organization

urlpatterns = [
    path("", organization.start, name="start"),
    path("organizations/new", organization.new_organization, name="new-organization"),
    path("invitations/<str:secret>", members.invitation, name="invitation"),
    path("<str:organization>/members", members.members, name="members"),
    path("<str:organization>/members/invite", members.invite, name="invite-member"),
    path("<str:organization>/members/leave", members.leave, name="leave-organization"),
    path("<str:organization>/members/<int:pk>", members.member, name="member"),
    path("<str:organization>/members/<int:pk>/remove", members.remove, name="remove-member"),
    path("<str:organization>/invitations/<int:pk>/resend", members.resend, name="resend-invitation"),
    path("<str:organization>/invitations/<int:pk>/revoke", members.revoke, name="revoke-invitation"),
    path("<str:organization>/settings", organization.settings, name="organization-settings"),
    path("<str:organization>/audit", organization.audit_log, name="audit-log"),
]
