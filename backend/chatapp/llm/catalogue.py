"""Which models may be asked for, who serves them, and at what price."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chatapp.llm import local
from chatapp.settings import Price

if TYPE_CHECKING:
    from chatapp.llm.base import Model
    from chatapp.settings import Settings


class Offer(NamedTuple):
    """A model of a provider's."""

    provider: str
    model: str
    price: Price | None


class Catalogue:
    """
    The models there are.

    Args:
        served: each provider by its name.
        offers: what they serve; a provider's first is its default.
        default: the provider that answers where none is named.
    """

    def __init__(self, served: dict[str, Model], offers: tuple[Offer, ...], default: str) -> None:
        self._served, self.offers, self._default = served, offers, default

    def choose(self, provider: str | None, model: str | None) -> tuple[Offer, Model] | None:
        """Who answers a request for a provider, a model, both or neither; None for nobody."""
        wanted = provider or (self._default if model is None else None)
        fit = [
            offer
            for offer in sorted(self.offers, key=lambda offer: offer.provider != self._default)
            if wanted in {None, offer.provider} and model in {None, offer.model}
        ]
        return (fit[0], self._served[fit[0].provider]) if fit else None

    async def close(self) -> None:
        """Let go of every provider."""
        for served in self._served.values():
            await served.close()


def make_catalogue(settings: Settings) -> Catalogue:
    """
    The models that the settings speak of; the local one is always there.

    Raises:
        ValueError: the default provider serves nothing.
    """
    served: dict[str, Model] = {local.NAME: local.LocalModel()}
    offers = [Offer(local.NAME, local.MODEL, Price.model_validate({"prompt": 0, "completion": 0}))]
    if settings.openai_models:
        from chatapp.llm import compatible

        key = settings.openai_api_key
        served[compatible.NAME] = compatible.CompatibleModel(
            settings.openai_base_url,
            key.get_secret_value() if key else "none",
            settings.provider_timeout_s,
            settings.provider_retries,
        )
        offers += [Offer(compatible.NAME, name, p) for name, p in settings.openai_models.items()]
    if settings.provider not in served:
        raise ValueError(f"CHAT_PROVIDER is {settings.provider!r}, and that serves no model.")
    return Catalogue(served, tuple(offers), settings.provider)
