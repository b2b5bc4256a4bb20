"""What a server allows its callers."""

from __future__ import annotations

from dataclasses import dataclass

import groundstate as gs

LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only this machine reaches."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server allows its callers.

    Attributes:
        token: What callers send as ``Authorization: Bearer …``; None for no authentication.
        hosts: Values of the ``Host`` header that are served, ports aside; None for any. Guards against DNS rebinding.
        origins: Values of the ``Origin`` header that browsers may send; others are refused.
        body: Bytes of a request at most.
        deadline: Seconds of a solve, where a caller names none, and at most.
        waiting: Calls in progress at most; further ones get 503 at once.
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
    """Settings for an address: one that others reach needs a token, or an explicit refusal of one.

    Args:
        host: The address to listen on.
        token: What callers must send, or None.
        no_auth: Whether to serve others without authentication.
        allowed: Names under which the server may be called, besides the address.

    Raises:
        OptionError: The address is not local, and there is neither a token nor ``no_auth``.
    """
    if host in LOCAL:
        return Settings(token=token, hosts=LOCAL | set(allowed))
    if token is None and not no_auth:
        raise gs.OptionError(
            f"{host!r} can be reached from other machines; set a token (--token-file) or say --no-auth to serve everybody."
        )
    return Settings(token=token, hosts=frozenset({host, *allowed}) if allowed else None)
