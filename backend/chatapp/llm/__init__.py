"""Language models behind one protocol: an offline one, and any OpenAI-compatible endpoint."""

from chatapp.llm.base import Ask, Ending, Model, ProviderError, Turn, estimated_tokens
from chatapp.llm.catalogue import Catalogue, Offer, make_catalogue
from chatapp.llm.generation import Answer, Generation

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
