"""Real proxies, each run by the very file that the documentation gives, in front of the real server."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from tests.proxies.asking import CALLER, Answer, ask
from tests.proxies.programs import open_folder, program, running
from tests.serving import ROOT, Server, free_port, own_database, serve_from

NAME = "gumshoe.example.com"
FILES = ROOT / "docs" / "proxies"
REGISTER = "/api/1/deployments/acme/storefront/register_deploy"
ADDRESSES = "SELECT address FROM deployments_call WHERE body LIKE '%{}%'"
SECONDS_UNTIL_LOGGED = 20


def as_documented(file: str, folder: Path, *, port: int, server: int) -> str:
    """The file for this machine: other ports, and the certificate of this test."""
    text = (FILES / file).read_text()
    for written, meant in {
        ":443": f":{port}",
        "listen 443": f"listen {port}",
        "127.0.0.1:8000": f"127.0.0.1:{server}",
        "/etc/ssl/gumshoe": str(folder),
    }.items():
        text = text.replace(written, meant)
    return text


def nginx(folder: Path, port: int, server: int) -> AbstractContextManager[None]:
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "site.conf").write_text(as_documented("nginx.conf", folder, port=port, server=server))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; {paths} include {folder}/site.conf; }}\n"
    )
    return running([program("nginx", is_in_ci=True), "-c", str(folder / "nginx.conf")], port=port, folder=folder)


def caddy(folder: Path, port: int, server: int) -> AbstractContextManager[None]:
    site = as_documented("Caddyfile", folder, port=port, server=server)
    # Instead of a certificate from the network.
    certificate = f"{NAME}:{port} {{\n\ttls {folder}/certificate.pem {folder}/key.pem\n"
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(options + site.replace(f"{NAME} {{\n", certificate))
    command = [program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    return running(command, port=port, folder=folder)


def haproxy(folder: Path, port: int, server: int) -> AbstractContextManager[None]:
    (folder / "haproxy.cfg").write_text(as_documented("haproxy.cfg", folder, port=port, server=server))
    return running([program("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")], port=port, folder=folder)


def apache(folder: Path, port: int, server: int) -> AbstractContextManager[None]:
    httpd = program("apache2")
    modules = Path("/usr/lib/apache2/modules")
    load = "".join(
        f"LoadModule {name}_module {modules}/mod_{name}.so\n"
        for name in ("mpm_event", "authz_core", "headers", "proxy", "proxy_http", "socache_shmcb", "ssl")
    )
    (folder / "site.conf").write_text(as_documented("apache.conf", folder, port=port, server=server))
    (folder / "apache.conf").write_text(
        f"{load}ServerRoot {folder}\nServerName {NAME}\nPidFile {folder}/apache.pid\nErrorLog /dev/stderr\n"
        f"DefaultRuntimeDir {folder}\nListen 127.0.0.1:{port}\nUser nobody\nInclude {folder}/site.conf\n"
    )
    return running([httpd, "-D", "FOREGROUND", "-f", str(folder / "apache.conf")], port=port, folder=folder)


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = timezone.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(private)
    (folder / "certificate-and-key.pem").write_bytes(certificate + private)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        write_certificate(folder)
        yield folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with own_database(folder) as url:
        yield url


@pytest.fixture(scope="module")
def served(url: str, folder: Path) -> Iterator[tuple[Server, str]]:
    """The server, and the secret of a token."""
    server = serve_from(url, folder, SITE_URL=f"https://{NAME}", TRUSTED_PROXY_COUNT="1")
    (secret,) = server.make_world()
    server.start()
    yield server, secret
    server.kill()


def addresses_of(url: str, sha: str) -> list[str]:
    """What the request log has of a call, as soon as it has it."""
    query = ADDRESSES.format(sha)
    deadline = time.monotonic() + SECONDS_UNTIL_LOGGED
    while time.monotonic() < deadline:
        if url.startswith("sqlite:"):
            rows = sqlite3.connect(url.removeprefix("sqlite:///")).execute(query).fetchall()
        else:
            with psycopg.connect(url) as connection:
                rows = connection.execute(query.encode()).fetchall()
        if rows:
            return [str(address) for (address,) in rows]
        time.sleep(0.1)
    return []


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy, apache])
def test_calls_and_pages_through_a_proxy_as_documented(
    proxy: Callable[[Path, int, int], AbstractContextManager[None]], served: tuple[Server, str], url: str, folder: Path
) -> None:
    server, secret = served
    port = free_port()

    def call(path: str, body: Any = None, **options: Any) -> Answer:
        headers = {"Authorization": f"Bearer {secret}", **options.pop("headers", {})}
        return ask(port, path, body, tls_name=NAME, headers=headers, **options)

    def sha(number: int) -> str:
        return f"{proxy.__name__.encode().hex()}{number:08x}".ljust(40, "0")

    with proxy(folder, port, server.port):
        answer = call(REGISTER, {"sha": sha(1)}, headers={"X-Forwarded-For": "198.51.100.1"})
        assert (answer.status, answer.text) == (200, "Success")
        assert addresses_of(url, sha(1)) == [CALLER]

        answer = call(REGISTER, {"sha": sha(2)}, headers={"X_Forwarded_For": "198.51.100.1"})
        assert (answer.status, answer.text) == (200, "Success")
        assert addresses_of(url, sha(2)) == [CALLER]

        commits = [{"revision": f"{number:040x}", "message": "x" * 2_000} for number in range(1_000)]
        large = {"sha": sha(3), "commits": commits}
        assert call(REGISTER, large).status == 200
        assert call(f"/{REGISTER}", {"sha": sha(4)}).text == "Success"
        asked = call("/graphql", {"query": "{ __typename }"}, method="GET")
        assert asked.text == '{"data":{"__typename":"Query"}}'

        page = call("/accounts/password/reset/")
        assert page.status == 200
        cookie = page.headers["Set-Cookie"]
        assert "Secure" in cookie
        token = cookie.partition("csrftoken=")[2].partition(";")[0]
        labels = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"csrftoken={token}",
            "Origin": f"https://{NAME}",
            "X-CSRFToken": token,
        }
        assert call("/accounts/password/reset/", b"email=", headers=labels).status == 200
