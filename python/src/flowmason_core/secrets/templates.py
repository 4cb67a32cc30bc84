"""The runtime's template resolver, which knows secrets too. Imported only beside the runtime."""

from __future__ import annotations

from typing import Any

from flowmason_core.config.template_resolver import TemplateResolver

from .plan import Answer, Filled, Part, is_secret
from .value import SecretValue


class SecretTemplates(TemplateResolver):  # type: ignore[misc, unused-ignore]
    """
    Fills a string that refers to secrets from what was fetched for it, and leaves every other to the runtime.
    In a string with both, the runtime resolves the text around a value only: a value that holds `{{input.x}}`
    stays as it is.
    """

    def __init__(self, strict_mode: bool = True) -> None:
        super().__init__(strict_mode=strict_mode)
        self._texts: dict[str, tuple[Part, ...]] = {}

    def __repr__(self) -> str:
        return f"SecretTemplates({len(self._texts)} texts)"

    def learn(self, answer: Answer) -> None:
        """Adds what was fetched for a pipeline."""
        self._texts.update(answer.texts)

    def resolve(self, template: Any, context: dict[str, Any]) -> Any:
        """As the runtime's: dictionaries and lists come back here for each of their members."""
        parts = self._texts.get(template) if isinstance(template, str) else None
        if parts is None:
            return super().resolve(template, context)
        if len(parts) == 1 and isinstance(parts[0], Filled):
            return parts[0].value
        text = "".join(self._text(part, context) for part in parts)
        return SecretValue(text) if any(is_secret(part) for part in parts) else text

    def _text(self, part: Part, context: dict[str, Any]) -> str:
        if isinstance(part, Filled):
            return str(part.value)
        # The character before keeps the runtime from taking ` {{input.x}} ` for a template that stands alone,
        # which it would resolve without the spaces, and to another type than text.
        return str(super().resolve(f"|{part}", context))[1:]
