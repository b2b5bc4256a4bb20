"""Limits and access rules of a server."""

from __future__ import annotations

from dataclasses import dataclass

import groundstate as gs

LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only this machine reaches."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server allows its callers.

    Attributes:
        token: The token in ``Authorization: Bearer …``; None for no authentication.
        hosts: Accepted values of the ``Host`` header, without ports; None for any. Guards against DNS rebinding.
        origins: Accepted values of the ``Origin`` header.
        body: Largest size of a request, in bytes.
        deadline: Default and largest deadline of a solve, in seconds.
        waiting: Largest number of calls in progress; further calls get 503 at once.
    """

    token: str | None = None
    hosts: frozenset[str] | None = LOCAL
    origins: frozenset[str] = frozenset()
    body: int = 4 << 20
    deadline: float = 30.0
    waiting: int = 64

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < 16:
            raise gs.OptionError(f"The token has {len(self.token)} characters; it must have at least 16.")
        if not self.deadline > 0:
            raise gs.OptionError(f"deadline is {self.deadline!r}; it must be a positive number of seconds.")
        if self.waiting < 1:
            raise gs.OptionError(f"waiting is {self.waiting!r}; it must be at least 1.")


def settings_for(host: str, token: str | None, *, no_auth: bool, allowed: tuple[str, ...] = ()) -> Settings:
    """Settings for an address. A non-local address needs a token, or ``no_auth``.

    Args:
        host: The address to listen on.
        token: The token that callers must send, or None.
        no_auth: Whether to serve other machines without authentication.
        allowed: Names under which the server may be called, besides the address.

    Raises:
        OptionError: The address is not local, and there is neither a token nor ``no_auth``.
    """
    if host in LOCAL:
        return Settings(token=token, hosts=LOCAL | set(allowed))
    if token is None and not no_auth:
        raise gs.OptionError(
            f"{host!r} can be reached from other machines; set a token (--token-file), or use --no-auth to serve everybody."
        )
    return Settings(token=token, hosts=frozenset({host, *allowed}) if allowed else None)
