"""What the environment may say."""

from __future__ import annotations

import pytest

from flowmason_core.secrets import Settings, SettingsError


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({}, "FM_API_URL"),
        ({"FM_API_URL": "https://s"}, "credential"),
        ({"FM_API_URL": "https://s", "FM_API_KEY": "k"}, "FM_ENVIRONMENT"),
        ({"FM_API_URL": "http://secrets.example.com", "FM_RUN_TOKEN": "t"}, "in the clear"),
        ({"FM_API_URL": "http://127.0.0.1.example.com", "FM_RUN_TOKEN": "t"}, "in the clear"),
        ({"FM_API_URL": "https://me:pw@s", "FM_RUN_TOKEN": "t"}, "password"),
        ({"FM_API_URL": "ftp://s", "FM_RUN_TOKEN": "t"}, "https"),
        ({"FM_API_URL": "https://[", "FM_RUN_TOKEN": "t"}, "https"),
        ({"FM_API_URL": "https://s/?a=b", "FM_RUN_TOKEN": "t"}, "path"),
        ({"FM_API_URL": "https://s", "FM_RUN_TOKEN": "a\nb"}, "FM_RUN_TOKEN"),
        ({"FM_RESOLVE_FUNCTION": "f"}, "FM_ORG"),
    ],
)
def test_settings_that_are_refused(variables: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        Settings.from_env(variables)


def test_settings_that_are_taken() -> None:
    for url in ("http://127.0.0.1:4310", "http://localhost:1", "http://[::1]:1", "https://s/base/"):
        assert Settings.from_env({"FM_API_URL": url, "FM_RUN_TOKEN": "t", "FM_API_KEY": ""}).api_url == url
    place = {"FM_ENVIRONMENT": "production", "FM_PIPELINE_ID": "p", "FM_RUN_ID": "r", "FM_USER": "u"}
    with_key = Settings.from_env({"FM_API_URL": "https://s", "FM_API_KEY": "k", **place})
    assert with_key.place() == {"environment": "production", "pipeline_id": "p", "run_id": "r", "user": "u"}
    with_token = Settings.from_env({"FM_API_URL": "https://s", "FM_API_KEY": "k", "FM_RUN_TOKEN": "t", **place})
    assert (with_token.credential, with_token.place()) == ("t", {})
