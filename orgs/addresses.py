import ipaddress


def ip_address_or_none(value: str) -> str | None:
    """An IP address as a database stores it, without a zone; ``None`` where it is none (a Unix socket has none)."""
    try:
        return str(ipaddress.ip_address(value.strip().partition("%")[0]))
    except ValueError:
        return None
