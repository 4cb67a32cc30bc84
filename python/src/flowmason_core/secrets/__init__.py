"""
Secrets for FlowMason pipelines.

    secrets = SecretsManager()
    api_key = await secrets.get("openai_api_key")

This package lives inside `flowmason_core` when the `flowmason` distribution is there, and alone when not.
"""

from .errors import (
    AccessDenied,
    AuthenticationFailed,
    FailedReference,
    InvalidReference,
    LimitExceeded,
    SecretNotFound,
    SecretsError,
    SettingsError,
    Unauthenticated,
    Unavailable,
    UnresolvedReferences,
    Unsupported,
)
from .logs import RedactingFilter, RedactingFormatter, redacting
from .manager import SecretsManager
from .metadata import SecretMetadata
from .redaction import Redactor, StreamRedactor
from .runtime import attach, bind, run
from .settings import Settings
from .sync import SyncSecrets
from .using import is_authentication_failure
from .value import SecretBytes, SecretValue

__all__ = [
    "AccessDenied",
    "AuthenticationFailed",
    "FailedReference",
    "InvalidReference",
    "LimitExceeded",
    "RedactingFilter",
    "RedactingFormatter",
    "Redactor",
    "SecretBytes",
    "SecretMetadata",
    "SecretNotFound",
    "SecretValue",
    "SecretsError",
    "SecretsManager",
    "Settings",
    "SettingsError",
    "StreamRedactor",
    "SyncSecrets",
    "Unauthenticated",
    "Unavailable",
    "UnresolvedReferences",
    "Unsupported",
    "attach",
    "bind",
    "is_authentication_failure",
    "redacting",
    "run",
]
