"""Language models behind one protocol: an offline one, and any OpenAI-compatible endpoint."""

from chatapp.models.base import Ask, Ending, Model, ProviderError, Turn, estimated_tokens
from chatapp.models.catalogue import Catalogue, Offer, make_catalogue
from chatapp.models.generation import Answer, Generation

__all__ = [
    "Answer",
    "Ask",
    "Catalogue",
    "Ending",
    "Generation",
    "Model",
    "Offer",
    "ProviderError",
    "Turn",
    "estimated_tokens",
    "make_catalogue",
]
