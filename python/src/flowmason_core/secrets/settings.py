"""Where the server is and who we are to it, from the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """
    `api_url` with `run_token`, or with `api_key` and the place of the run; or `resolve_function` for a direct
    Lambda invoke. A run token says its own environment, pipeline and user, so those are not sent beside one.
    """

    api_url: str | None = None
    run_token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    environment: str | None = None
    pipeline_id: str | None = None
    run_id: str | None = None
    user: str | None = None
    resolve_function: str | None = None
    org: str | None = None

    def __post_init__(self) -> None:
        if self.api_url is not None:
            check_url(self.api_url)
        if self.api_url is None and self.resolve_function is None:
            raise SettingsError("Nothing names a server. Set FM_API_URL, or FM_RESOLVE_FUNCTION for a Lambda invoke.")
        for name, value in (("FM_RUN_TOKEN", self.run_token), ("FM_API_KEY", self.api_key)):
            if value is not None and not (value.isascii() and value.isprintable() and " " not in value):
                raise SettingsError(f"{name} holds characters that no credential has.")
        if self.resolve_function is None:
            if self.run_token is None and self.api_key is None:
                raise SettingsError("There is no credential. Set FM_RUN_TOKEN, or FM_API_KEY with FM_ENVIRONMENT.")
            if self.run_token is None and self.environment is None:
                raise SettingsError("FM_API_KEY needs FM_ENVIRONMENT: an API key does not say where the pipeline runs.")
        elif self.run_token is None and (self.org is None or self.environment is None):
            raise SettingsError("FM_RESOLVE_FUNCTION needs FM_RUN_TOKEN, or FM_ORG with FM_ENVIRONMENT.")

    @classmethod
    def from_env(cls, variables: Mapping[str, str] | None = None) -> Settings:
        """Reads the FM_ variables; an empty one counts as absent. @raises SettingsError"""
        found = os.environ if variables is None else variables
        return cls(
            api_url=found.get("FM_API_URL") or None,
            run_token=found.get("FM_RUN_TOKEN") or None,
            api_key=found.get("FM_API_KEY") or None,
            environment=found.get("FM_ENVIRONMENT") or None,
            pipeline_id=found.get("FM_PIPELINE_ID") or None,
            run_id=found.get("FM_RUN_ID") or None,
            user=found.get("FM_USER") or None,
            resolve_function=found.get("FM_RESOLVE_FUNCTION") or None,
            org=found.get("FM_ORG") or None,
        )

    @property
    def credential(self) -> str | None:
        """The bearer credential: the run's own token before a key that could do more."""
        return self.run_token or self.api_key

    def place(self) -> dict[str, str]:
        """What an API key must say beside a config; nothing with a run token."""
        if self.run_token is not None:
            return {}
        place = {
            "environment": self.environment,
            "pipeline_id": self.pipeline_id,
            "user": self.user,
            "run_id": self.run_id,
        }
        return {name: value for name, value in place.items() if value is not None}


def check_url(url: str) -> None:
    """@raises SettingsError for what is no http(s) address, carries a password, or would send secrets in the clear"""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("https", "http"):
        raise SettingsError("FM_API_URL must be an https:// address.")
    if parts.username is not None or parts.password is not None:
        raise SettingsError("FM_API_URL must not hold a user or a password.")
    if parts.query or parts.fragment:
        raise SettingsError("FM_API_URL must end with its path.")
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError("FM_API_URL is http:// to another host: secrets would travel in the clear. Use https://.")


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
