"""Secrets of tokens: their form, and how they are redacted from what is kept.

The form is ``gum_``, 32 random letters and digits, and their CRC-32 as 6 digits in base 62.

Prefix and checksum let secret scanners find leaked tokens without asking us. The scheme is GitHub's: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
"""

import re
import secrets
import string
import zlib
from collections.abc import Iterable
from typing import Any

PREFIX = "gum_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
# As it is, or percent-encoded.
SECRET = re.compile(rf"gum(?:_|%5[fF])([0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})")
REDACTED = "[redacted]"


def new_secret() -> str:
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return f"{PREFIX}{random}{checksum(random)}"


def checksum(random: str) -> str:
    number = zlib.crc32(random.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def hint(secret: str) -> str:
    """Enough for a person to recognize the secret: its first eight and last four characters."""
    return f"{secret[:8]}…{secret[-4:]}"


def without_secrets(value: Any) -> Any:
    """Decoded JSON with its secrets redacted, and without the users and passwords of addresses.

    What only begins like a secret is kept, since it may be a branch.
    """
    if isinstance(value, str):
        text = SECRET.sub(redact_secret, value) if "gum" in value else value
        return without_credentials(text) if "@" in text or "%40" in text else text
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {without_secrets(name): without_secrets(item) for name, item in value.items()}
    return value


def redact_secret(found: re.Match[str]) -> str:
    random, its_checksum = found.groups()
    return REDACTED if checksum(random) == its_checksum else found[0]


# --- Users and passwords in addresses ---

# CI systems clone from https://gitlab-ci-token:secret@gitlab.example.com and tell that address:
# https://docs.gitlab.com/ci/jobs/ci_job_token/. A slash may be written as \/, which PHP does in JSON, and another
# character as \u0026. Where an address is percent-encoded, its own characters end it in that form.
IN_USER = r"""[^\s/?#"<>\\]*(?:\\u[0-9a-f]{4}[^\s/?#"<>\\]*){0,200}"""
IN_ENCODED_USER = r"""[^\s/?#"<>\\&%]*(?:%(?!2f|3f|23|2[02]|3c|3e)[^\s/?#"<>\\&%]*){0,200}"""
COLON_SLASHES = r"(?::|\\u003a)(?:\\?/|\\u002f){2}"
USER_OF_WEB_ADDRESS = re.compile(
    rf"(https?{COLON_SLASHES}){IN_USER}(?:@|\\u0040)|(https?%3a(?:%2f){{2}}){IN_ENCODED_USER}(?:%40|@)", re.IGNORECASE
)
# The user of ssh belongs to the address, as in ssh://git@example.com.
PASSWORD_OF_ADDRESS = re.compile(r"""((?:ssh|git|ftps?|svn)://[^\s/?#"<>\\:@]*):[^\s/?#"<>\\]*@""", re.IGNORECASE)


def without_credentials(text: str) -> str:
    """``text`` without the users and passwords of http and https addresses, and without the passwords of others."""
    return PASSWORD_OF_ADDRESS.sub(r"\1@", USER_OF_WEB_ADDRESS.sub(lambda found: found[1] or found[2], text))


# --- Redacting credentials in what is kept of a call ---


def spelt(name: str, escape: str) -> str:
    """A pattern of ``name``, with each letter as it is or as ``escape`` and its hexadecimal code."""
    return "".join(f"(?:{letter}|{escape}(?:{ord(letter.lower()):x}|{ord(letter.upper()):x}))" for letter in name)


IN_JSON, IN_FORMS = r"\\u00", "%"
# api_key and its value in JSON (also without quotation marks), in a form or query, and as a part of a multipart body.
# The text may end within the value. Some webhooks name it token.
JSON_KEY = re.compile(
    rf"""(["']{spelt("api_key", IN_JSON)}["']\s*:\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}}\]]+)""", re.IGNORECASE
)
FORM_KEY = re.compile(
    rf"""((?:^|[&?\s])(?:{spelt("api_key", IN_FORMS)}|{spelt("token", IN_FORMS)})=)"""
    # An address may be within JSON, which has the next quotation mark.
    r"""(?:"[^"&\s]*"?|'[^'&\s]*'?|[^&\s"'<>\\]*)""",
    re.IGNORECASE,
)
# Possessive, and with a limit for the headers of a part. Otherwise a body full of such names would take seconds, and
# block all threads.
MULTIPART_KEY = re.compile(r"""(name="?api_key"?[^\r\n]*+(?:\r?\n[^\r\n]++){0,10}+\r?\n\r?\n)[^\r\n]*""", re.IGNORECASE)
# All three patterns contain one of these.
MAY_HAVE_KEY = re.compile(r"key|token|\\u00|%", re.IGNORECASE)
# The token is the last segment of the path of an incident.
PATH_KEY = re.compile(r"""(register(?:[_-]|%5f|%2d)impact(?:/|%2f)+\s*)[^?\s"',}&]+""", re.IGNORECASE)
# What looks like a secret of ours, or like the beginning of one.
SECRET_IN_TEXT = re.compile(r"gum(?:_|%5f|(?:\\+|%5c)u005f)[0-9a-z]{8,}", re.IGNORECASE)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without ``secrets``, values of ``api_key``, what looks like a secret of ours, and credentials of
    addresses."""
    text = PATH_KEY.sub(rf"\1{REDACTED}", text)
    if MAY_HAVE_KEY.search(text):
        text = JSON_KEY.sub(rf'\1"{REDACTED}"', text)
        text = FORM_KEY.sub(rf"\1{REDACTED}", text)
        text = MULTIPART_KEY.sub(rf"\1{REDACTED}", text)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return without_credentials(SECRET_IN_TEXT.sub(REDACTED, text))
