from django.http import HttpResponse
from django.shortcuts import render

from orgs.access import MemberRequest, member_page
from orgs.roles import Permission


@member_page(Permission.VIEW)
def home(request: MemberRequest) -> HttpResponse:
    return render(request, "deployments/home.html")
