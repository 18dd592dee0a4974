"""The available models, their providers and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chatapp.llm import local
from chatapp.settings import Price

if TYPE_CHECKING:
    from chatapp.llm.base import Model
    from chatapp.settings import Settings


class Offer(NamedTuple):
    """A model of a provider."""

    provider: str
    model: str
    price: Price | None


class Catalogue:
    """
    The available models.

    Args:
        served: each provider by its name.
        offers: their models; a provider's first is its default.
        default: the provider where a request names none.
    """

    def __init__(self, served: dict[str, Model], offers: tuple[Offer, ...], default: str) -> None:
        self._served, self.offers, self._default = served, offers, default

    def choose(self, provider: str | None, model: str | None) -> tuple[Offer, Model] | None:
        """Return the offer for a provider, a model, both or neither; None where there is none."""
        wanted = provider or (self._default if model is None else None)
        fit = [
            offer
            for offer in sorted(self.offers, key=lambda offer: offer.provider != self._default)
            if wanted in {None, offer.provider} and model in {None, offer.model}
        ]
        return (fit[0], self._served[fit[0].provider]) if fit else None

    async def close(self) -> None:
        """Close every provider."""
        for served in self._served.values():
            await served.close()


def make_catalogue(settings: Settings) -> Catalogue:
    """
    Return the models of the settings, and always the local one.

    Raises:
        ValueError: the default provider has no model.
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
