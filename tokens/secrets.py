"""The form of a token's secret: ``gum_``, 32 random letters and digits, 6 of checksum.

Prefix and checksum let secret scanners find leaked tokens without asking us:
``gum_[0-9A-Za-z]{38}``, of which the last six are the CRC-32 of the 32 before them in base 62.
The scheme is GitHub's: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
"""

import hashlib
import re
import secrets
import string
import zlib
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


def digest(secret: str) -> str:
    """What is stored in the secret's place: SHA-256 in hex. The secret has 190 random bits, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def hint(secret: str) -> str:
    """Enough of the secret for a person to tell it from others: its first eight and last four characters."""
    return f"{secret[:8]}…{secret[-4:]}"


def without_secrets(value: Any) -> Any:
    """A value of JSON, in whose text whatever is a secret is blotted out. What only begins like one stays as it is: it
    may be a branch or a path."""
    if isinstance(value, str):
        return SECRET.sub(blot, value) if "gum" in value else value
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {without_secrets(name): without_secrets(item) for name, item in value.items()}
    return value


def blot(found: re.Match[str]) -> str:
    random, its_checksum = found.groups()
    return REDACTED if checksum(random) == its_checksum else found[0]
