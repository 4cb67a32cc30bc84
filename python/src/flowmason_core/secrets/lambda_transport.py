"""A direct invoke of the resolve function, for pipelines that run on AWS. Needs the extra `lambda`."""

from __future__ import annotations

import builtins
import importlib
import json
from typing import Any

import anyio

from .errors import AccessDenied, LimitExceeded, SecretsError, SettingsError, Unavailable, Unsupported
from .numbers import parse_json
from .retry import Retry
from .settings import Settings
from .transport import HttpTransport, Reply, Transport

JSON = Any


class LambdaTransport:
    """
    Resolves by `lambda:InvokeFunction`: IAM and TLS of AWS stand between, no HTTP API is needed. With a run
    token the run speaks for itself; without, the function's `orchestrator` alias takes FM_ORG and the place.
    `list` and `exists` go to the HTTP API, where FM_API_URL names one.
    """

    def __init__(self, settings: Settings, *, client: Any = None, retry: Retry | None = None) -> None:
        if settings.resolve_function is None:
            raise SettingsError("FM_RESOLVE_FUNCTION is not set.")
        self._function = settings.resolve_function
        self._payload: dict[str, str] = (
            {"run_token": settings.run_token}
            if settings.run_token is not None
            else {"org": settings.org or "", **settings.place()}
        )
        self._client = client or _lambda_client()
        self._retry = retry or Retry()
        has_api = settings.api_url is not None and settings.credential is not None
        self._http: Transport | None = HttpTransport(settings) if has_api else None

    def __repr__(self) -> str:
        return f"LambdaTransport({self._function!r})"

    async def resolve(self, config: JSON) -> Reply:
        """Invokes the function."""
        return await self._retry.run(lambda: self._invoke(config))

    async def check(self, config: JSON) -> Reply:
        """By the HTTP API."""
        return await self._api().check(config)

    async def list(self) -> builtins.list[JSON]:
        """By the HTTP API."""
        return await self._api().list()

    async def open(self) -> None:
        """Nothing: the AWS client keeps its own connections."""

    async def close(self) -> None:
        """Nothing."""

    def _api(self) -> Transport:
        if self._http is None:
            raise Unsupported("The resolve function only resolves. Set FM_API_URL and a credential beside it.")
        return self._http

    async def _invoke(self, config: JSON) -> Reply:
        payload = json.dumps({**self._payload, "config": config})
        failure: SecretsError | None = None
        body: JSON = None
        try:
            answer = await anyio.to_thread.run_sync(lambda: self._call(payload), abandon_on_cancel=True)
            if answer.get("FunctionError"):
                failure = Unavailable("The resolve function failed.")
            else:
                body = parse_json(answer["Payload"].read())
        except Exception as error:  # botocore's errors are made at run time, so there is no class to name
            failure = _failure_of(error)
        # Raised here and not above, so that neither payload nor answer travels along as its context.
        if failure is not None:
            raise failure
        if not isinstance(body, dict):
            raise Unavailable("The resolve function's answer is no object.", code="invalid_answer")
        # A problem document alone has a status: an answer has `config` and `secrets`.
        status = body.get("status", 200)
        if status in (429, 502, 503, 504):
            raise Unavailable("The service cannot answer safely now.", status=status, code=body.get("code"))
        return Reply(status, body)

    def _call(self, payload: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.invoke(FunctionName=self._function, Payload=payload.encode())
        return answer


# What AWS says of who asks, and of what is asked for: asking again would change neither.
_DENIED = {
    *("AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidSignatureException"),
    *("ExpiredTokenException", "MissingAuthenticationTokenException", "KMSAccessDeniedException"),
}
_WRONG = {"ResourceNotFoundException", "ValidationException", "InvalidParameterValueException"}
_WRONG_TYPES = {"ParamValidationError", "NoRegionError", "NoCredentialsError", "PartialCredentialsError"}


def _failure_of(error: Exception) -> SecretsError:
    """Names AWS's code and not its message, which may quote what was sent."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    if code in _DENIED:
        return AccessDenied(f"AWS does not let this caller invoke the resolve function ({code}).")
    if code in _WRONG or type(error).__name__ in _WRONG_TYPES:
        return SettingsError(f"The resolve function cannot be invoked so ({code or type(error).__name__}).")
    if code == "RequestTooLargeException":
        return LimitExceeded("The config is too large for an invoke of the resolve function.")
    return Unavailable(f"The resolve function could not be invoked ({code or type(error).__name__}).")


def _lambda_client() -> Any:
    """boto3's client, or botocore's own where only that is installed."""
    try:
        return importlib.import_module("boto3").client("lambda")
    except ImportError:
        pass
    try:
        return importlib.import_module("botocore.session").get_session().create_client("lambda")
    except ImportError:
        pass
    raise SettingsError("FM_RESOLVE_FUNCTION needs boto3: pip install 'flowmason-secrets[lambda]'.")
