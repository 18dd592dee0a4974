"""
Serve the page and the API's documentation from files of the package.

Each file is read once. The content security policy allows only this service as a source, and no
inline scripts: a text that is inserted into the page as markup cannot run. Nothing is fetched from
elsewhere.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from mimetypes import guess_type

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

router = APIRouter(include_in_schema=False)

_READ = ["GET", "HEAD"]
_PACKAGES = {"page": ("chatapp", "page"), "docs": ("fastapi_swagger", "resources")}
"""The package and folder of each kind of file."""
_LIBRARY = ("swagger-ui-bundle.js", "swagger-ui.css")
_OWN = tuple(sorted(one.name for one in (files("chatapp") / "page").iterdir() if "." in one.name))
_SMALL = 1024
"""The size in bytes below which compression saves nothing."""

PATHS = frozenset(
    {"/", "/docs", "/openapi.json"}
    | {f"/page/{name}" for name in _OWN}
    | {f"/docs/{name}" for name in _LIBRARY}
)
"""Paths that are answered in any state of the database, without a rate limit."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_POLICY_OF_THE_PAGE = f"{_POLICY}; require-trusted-types-for 'script'; trusted-types 'none'"
"""Makes browsers with trusted types reject `innerHTML` and similar sinks."""
_POLICY_OF_THE_DOCS = _POLICY.replace("img-src 'self'", "img-src 'self' data:")
"""Swagger UI has images in its style sheet as data URLs."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file to be sent; `packed` is its gzip form, empty where that saves nothing."""

    body: bytes
    packed: bytes
    kind: str
    tag: str


@cache
def _read(folder: str, name: str) -> _File:
    package, inside = _PACKAGES[folder]
    body = (files(package) / inside / name).read_bytes()
    kind = guess_type(name)[0] or "application/octet-stream"
    # Weak: the same for a body and for it packed.
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    packed = gzip.compress(body, mtime=0) if len(body) > _SMALL else b""
    return _File(body, packed, kind, tag)


def _answer(request: Request, file: _File, policy: str = _POLICY) -> Response:
    """Send a file, or 304 if the browser has it."""
    headers = {
        # Asked for each time, and sent again only where it is another: no release is mixed with
        # the files of the one before.
        "cache-control": "no-cache",
        "etag": file.tag,
        "vary": "accept-encoding",
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }
    known = request.headers.get("if-none-match", "").split(",")
    if file.tag in {one.strip() for one in known}:
        return Response(status_code=304, headers=headers)
    packs = "gzip" in request.headers.get("accept-encoding", "") and bool(file.packed)
    if packs:
        headers["content-encoding"] = "gzip"
    return Response(file.packed if packs else file.body, headers=headers, media_type=file.kind)


@router.api_route("/", methods=_READ)
async def page(request: Request) -> Response:
    """Send the page."""
    return _answer(request, _read("page", "index.html"), _POLICY_OF_THE_PAGE)


@router.api_route("/docs", methods=_READ)
async def docs(request: Request) -> Response:
    """Send the API's documentation, Swagger UI."""
    return _answer(request, _read("page", "docs.html"), _POLICY_OF_THE_DOCS)


@router.api_route("/page/{name}", methods=_READ)
async def part(request: Request, name: str) -> Response:
    """Send a file of the page."""
    if name not in _OWN:
        raise HTTPException(404)
    return _answer(request, _read("page", name))


@router.api_route("/docs/{name}", methods=_READ)
async def library(request: Request, name: str) -> Response:
    """Send a file of the API's documentation."""
    if name not in _LIBRARY:
        raise HTTPException(404)
    return _answer(request, _read("docs", name))
