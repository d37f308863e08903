import json
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory, override_settings

from config.logging import JsonFormatter, RecordFilter
from config.middleware import (
    ClientAddressMiddleware,
    PageAuthenticationMiddleware,
    PageCommonMiddleware,
    PageMessageMiddleware,
    PageSessionMiddleware,
    RequestIdMiddleware,
)

API_PATHS = ["/api/1/deployments/acme/storefront/register_deploy", "/v1/deployments", "/graphql"]


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("four")


def address_seen(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.META["REMOTE_ADDR"])


class TestRequestId:
    def test_a_call_is_named(self) -> None:
        names = {RequestIdMiddleware(answer)(RequestFactory().get("/")).headers["X-Request-Id"] for _ in range(2)}
        assert len(names) == 2
        assert all(len(name) == 32 for name in names)

    def test_a_caller_may_name_it(self) -> None:
        request = RequestFactory().get("/", headers={"X-Request-Id": "build-7.1_a"})
        assert RequestIdMiddleware(answer)(request).headers["X-Request-Id"] == "build-7.1_a"

    @pytest.mark.parametrize("sent", ["", "a b", 'a"}', "a\nb", "é", "a" * 65, f"gum_{'a' * 38}"])
    def test_a_name_that_cannot_stand_in_a_log_is_replaced(self, sent: str) -> None:
        request = RequestFactory().get("/", headers={"X-Request-Id": sent})
        assert RequestIdMiddleware(answer)(request).headers["X-Request-Id"] != sent

    def test_errors_are_logged_under_it(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        caplog.handler.addFilter(RecordFilter())
        client.get("/v1/nothing", headers={"X-Request-Id": "build-7"})
        (record,) = [record for record in caplog.records if record.name == "django.request"]
        assert json.loads(JsonFormatter().format(record))["request_id"] == "build-7"


class TestClientAddress:
    def seen(self, forwarded: str | None, proxies: int) -> str:
        headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="10.0.0.1")
        with override_settings(TRUSTED_PROXY_COUNT=proxies):
            response = ClientAddressMiddleware(address_seen)(request)
        assert isinstance(response, HttpResponse)
        return response.content.decode()

    @pytest.mark.parametrize(
        ("seen", "told"), [("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8::7"), ("", "")]
    )
    def test_a_server_at_all_addresses_tells_those_of_ipv4_apart(self, seen: str, told: str) -> None:
        response = ClientAddressMiddleware(address_seen)(RequestFactory().get("/", REMOTE_ADDR=seen))
        assert isinstance(response, HttpResponse)
        assert response.content.decode() == told

    def test_without_proxies_the_header_is_ignored(self) -> None:
        assert self.seen("203.0.113.9", proxies=0) == "10.0.0.1"

    @pytest.mark.parametrize(
        ("forwarded", "proxies", "address"),
        [
            ("203.0.113.9", 1, "203.0.113.9"),
            ("203.0.113.9, 198.51.100.2", 2, "203.0.113.9"),
            ("2001:db8::7", 1, "2001:db8::7"),
            ("2001:DB8:0::7%eth0", 1, "2001:db8::7"),
            ("203.0.113.7:54321", 1, "203.0.113.7"),
            ("[2001:db8::1]:443", 1, "2001:db8::1"),
            ("[2001:db8::1]", 1, "2001:db8::1"),
            ("198.51.100.9:1, [::ffff:203.0.113.7]:2 ,10.0.0.2:3", 2, "203.0.113.7"),
            ("::ffff:203.0.113.7", 1, "203.0.113.7"),
        ],
    )
    def test_the_proxies_say_who_called(self, forwarded: str, proxies: int, address: str) -> None:
        assert self.seen(forwarded, proxies) == address

    @pytest.mark.parametrize(
        ("forwarded", "proxies"), [("1.1.1.1, 203.0.113.9", 1), ("8.8.8.8, 1.1.1.1, 203.0.113.9, 198.51.100.2", 2)]
    )
    def test_what_a_caller_invents_is_not_believed(self, forwarded: str, proxies: int) -> None:
        assert self.seen(forwarded, proxies) == "203.0.113.9"

    @pytest.mark.parametrize(
        "forwarded",
        [None, "", "203.0.113.9", "<script>, 198.51.100.2", "999.1.1.1, ::1", "1.1.1.1:2:3, ::1", "[, ::1", ":80, ::1"],
    )
    def test_a_header_that_the_proxies_did_not_write_is_ignored(self, forwarded: str | None) -> None:
        assert self.seen(forwarded, proxies=2) == "10.0.0.1"


class TestPagesOnly:
    MIDDLEWARE: tuple[Any, ...] = (
        PageSessionMiddleware,
        PageAuthenticationMiddleware,
        PageMessageMiddleware,
        PageCommonMiddleware,
    )

    def names_added(self, path: str) -> set[str]:
        request = RequestFactory().get(path)
        before = set(vars(request))
        seen: set[str] = set()

        def view(request: HttpRequest) -> HttpResponse:
            seen.update(vars(request))
            return HttpResponse()

        handler: Any = view
        for middleware in reversed(self.MIDDLEWARE):
            handler = middleware(handler)
        handler(request)
        return seen - before

    def test_pages_have_sessions_people_and_messages(self) -> None:
        assert {"session", "user", "_messages"} <= self.names_added("/admin/")

    @pytest.mark.parametrize("path", API_PATHS)
    def test_api_calls_pass_them_by(self, path: str) -> None:
        assert self.names_added(path) == set()

    def test_all_of_them_are_in_use(self) -> None:
        used = {name.rpartition(".")[2] for name in settings.MIDDLEWARE}
        assert {middleware.__name__ for middleware in self.MIDDLEWARE} <= used
        assert not used & {"SessionMiddleware", "CommonMiddleware", "AuthenticationMiddleware", "MessageMiddleware"}

    @pytest.mark.parametrize("path", ["/", *API_PATHS])
    def test_every_answer_says_its_length(self, path: str) -> None:
        assert PageCommonMiddleware(answer)(RequestFactory().get(path)).headers["Content-Length"] == "4"

    def test_a_stream_has_none(self) -> None:
        middleware = PageCommonMiddleware(lambda request: StreamingHttpResponse(iter([b"four"])))
        assert "Content-Length" not in middleware(RequestFactory().get("/v1/deployments")).headers


def test_no_path_of_the_api_sets_a_cookie_or_redirects(client: Client) -> None:
    for path in API_PATHS:
        response = client.post(f"{path}/nothing/")
        assert response.status_code == 404
        assert not response.cookies
