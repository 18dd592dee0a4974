"""Accounts: registering, logging in, changing the password, going."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jwt
import pytest
from argon2 import PasswordHasher
from tests.chat.serving import PASSWORD, SECRET, chat

if TYPE_CHECKING:
    from tests.chat.serving import Client
    from tests.servers import Database


def test_names_are_kept_folded(anybody: Client) -> None:
    """Name and address are kept without case, and found again in any case."""
    sent = {"username": "GRACE", "email": "Grace@Example.ORG", "password": PASSWORD}
    made = anybody("POST", "/v1/accounts", **sent)
    token = anybody("POST", "/v1/tokens", name="gRACE@example.org", password=PASSWORD)
    seen = anybody.with_token(token["access_token"])("GET", "/v1/account")

    assert (made["_"], made["username"], made["email"]) == (201, "grace", "grace@example.org")
    assert (seen["id"], seen["created_at"]) == (made["id"], made["created_at"])


@pytest.mark.parametrize(
    ("username", "email"), [("Hedy", "other@example.org"), ("other", "HEDY@example.org")]
)
def test_a_taken_name(anybody: Client, username: str, email: str) -> None:
    """A name or address that somebody has, in any case, is a conflict."""
    first = {"username": "hedy", "email": "hedy@example.org", "password": PASSWORD}
    anybody("POST", "/v1/accounts", **first)
    refused = anybody("POST", "/v1/accounts", username=username, email=email, password=PASSWORD)

    assert (refused["_"], refused["type"]) == (409, "urn:chatapp:problem:name-taken")


def test_a_password_is_the_same_on_every_keyboard(anybody: Client) -> None:
    """Letters with accents are the same, whether typed as one character or as two."""
    sent = {"username": "zofia", "email": "zofia@example.org", "password": "z\u0307o\u0301\0" * 4}
    made = anybody("POST", "/v1/accounts", **sent)
    statuses = [
        anybody("POST", "/v1/tokens", name="zofia", password=password)["_"]
        for password in ("\u017c\u00f3\0" * 4, "zo\0" * 4, "\u017c\u00f3" * 4)
    ]

    assert (made["_"], statuses) == (201, [200, 401, 401])


def test_a_wrong_password_and_nobody_look_the_same(anybody: Client) -> None:
    """Who guesses is not told whether the account is there."""
    anybody.logged_in("mary")
    wrong = anybody("POST", "/v1/tokens", name="mary", password="something else")
    nobody = anybody("POST", "/v1/tokens", name="nobody", password="something else")

    assert wrong["_"] == 401
    assert wrong == nobody


def test_the_password_is_kept_as_a_hash(anybody: Client, chat_database: Database) -> None:
    """The stored hash is Argon2id's, and never the password."""
    anybody.logged_in("lise")
    [(kept,)] = chat_database.psql("SELECT password_hash FROM users WHERE username = 'lise'")

    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


def test_a_weaker_hash_is_replaced(anybody: Client, chat_database: Database) -> None:
    """A hash with older parameters becomes a new one at the next log-in."""
    anybody.logged_in("emmy")
    weak = PasswordHasher(time_cost=1, memory_cost=32, parallelism=1).hash(PASSWORD)
    chat_database.psql(f"UPDATE users SET password_hash = '{weak}' WHERE username = 'emmy'")
    logged_in = anybody("POST", "/v1/tokens", name="emmy", password=PASSWORD)
    [(kept,)] = chat_database.psql("SELECT password_hash FROM users WHERE username = 'emmy'")

    assert logged_in["_"] == 200
    assert kept not in (weak, PASSWORD)


def token(**claims: object) -> str:
    """A token of nobody as the service would sign it, but for some claims."""
    now = datetime.now(UTC)
    usual = {
        "iss": "chatapp",
        "sub": str(uuid4()),
        "exp": now + timedelta(hours=1),
        "pwd": "0" * 32,
    }
    return jwt.encode({**usual, **claims}, SECRET, "HS256")


@pytest.mark.parametrize(
    "bad",
    [
        token(exp=datetime.now(UTC) - timedelta(seconds=1)),
        token(iss="somebody"),
        token(sub="not an id"),
        token(),  # of nobody who is there
        token()[:-4],
        jwt.encode({"iss": "chatapp", "sub": str(uuid4()), "exp": 2**40}, "x" * 32, "HS256"),
        jwt.encode({"iss": "chatapp", "sub": str(uuid4()), "exp": 2**40}, None, "none"),
    ],
    ids=["expired", "issuer", "subject", "nobody", "cut", "key", "unsigned"],
)
def test_a_bad_token(anybody: Client, bad: str) -> None:
    """A token that is not ours, not any more, or of nobody is refused."""
    refused = anybody.with_token(bad)("GET", "/v1/account")

    assert (refused["_"], refused["type"]) == (401, "urn:chatapp:problem:not-logged-in")


def test_the_clock_of_another_replica(ada: Client) -> None:
    """A token is valid at once, even where the clock is slower than the issuer's."""
    claims = said(ada)
    ahead = token(**claims | {"iat": datetime.now(UTC) + timedelta(minutes=1)})

    assert ada.with_token(ahead)("GET", "/v1/account")["id"] == claims["sub"]


def said(client: Client) -> dict[str, Any]:
    """What somebody's token says."""
    text = client.headers["authorization"].removeprefix("Bearer ")
    claims: dict[str, Any] = jwt.decode(text, SECRET, ["HS256"], issuer="chatapp")
    return claims


def test_a_token_without_a_fingerprint(ada: Client) -> None:
    """A token that does not say which password it was given for is none of ours."""
    claims = said(ada)
    del claims["pwd"]
    old = jwt.encode(claims, SECRET, "HS256")

    assert ada.with_token(old)("GET", "/v1/account")["_"] == 401


NEW = "staple correct horse"


def test_another_password(ada: Client, anybody: Client) -> None:
    """It ends every older token, and gives a new one; the older password is no good then."""
    name = ada("GET", "/v1/account")["username"]
    other = anybody("POST", "/v1/tokens", name=name, password=PASSWORD)["access_token"]
    changed = ada("PUT", "/v1/account/password", current=PASSWORD, new=NEW)
    new = ada.with_token(changed["access_token"])
    old = [anybody("POST", "/v1/tokens", name=name, password=one)["_"] for one in (PASSWORD, NEW)]

    assert (changed["_"], new("GET", "/v1/account")["username"]) == (200, name)
    assert [one("GET", "/v1/account")["_"] for one in (ada, ada.with_token(other))] == [401, 401]
    assert old == [401, 200]


def test_the_same_password_once_more(ada: Client) -> None:
    """Whoever names their own password as the new one ends their older tokens by it."""
    changed = ada("PUT", "/v1/account/password", current=PASSWORD, new=PASSWORD)

    assert ada("GET", "/v1/account")["_"] == 401
    assert ada.with_token(changed["access_token"])("GET", "/v1/account")["_"] == 200


@pytest.mark.parametrize(
    ("current", "new", "status", "name"),
    [
        ("something else", NEW, 403, "password-wrong"),
        (PASSWORD, "Password123", 422, "password-common"),
        (PASSWORD, "short", 422, "invalid-request"),
    ],
)
def test_a_password_that_is_not_changed(
    ada: Client, current: str, new: str, status: int, name: str
) -> None:
    """A refused change leaves password and tokens as they are."""
    refused = ada("PUT", "/v1/account/password", current=current, new=new)

    assert (refused["_"], refused["type"]) == (status, f"urn:chatapp:problem:{name}")
    assert ada("GET", "/v1/account")["_"] == 200


@pytest.mark.parametrize(
    "password", ["PassWord123", "\uff30assword123", "Margaret-H", "margaret.h@Example.org"]
)
def test_a_password_that_many_people_have(anybody: Client, password: str) -> None:
    """Common passwords in any case and width are refused, and one's own name or address."""
    sent = {"username": "margaret-h", "email": "margaret.h@example.org"}
    refused = anybody("POST", "/v1/accounts", **sent, password=password)

    assert (refused["_"], refused["type"]) == (422, "urn:chatapp:problem:password-common")


def test_stronger_parameters_log_nobody_out(chat_database: Database) -> None:
    """A log-in that replaces a weaker hash ends no token; one more replaces nothing."""
    with chat(chat_database.conninfo, password_memory_kib=32) as weak:
        older = weak.logged_in("radia").headers["authorization"].removeprefix("Bearer ")
    kept = []
    with chat(chat_database.conninfo, password_memory_kib=64) as strong:
        for _ in range(2):
            assert strong("POST", "/v1/tokens", name="radia", password=PASSWORD)["_"] == 200
            kept += chat_database.psql("SELECT password_hash FROM users WHERE username = 'radia'")
        seen = strong.with_token(older)("GET", "/v1/account")

    assert ("m=64," in kept[0][0], kept[0] == kept[1], seen["_"]) == (True, True, 200)


def test_secrets_are_exchanged(chat_database: Database) -> None:
    """Tokens of the previous secret are good for as long as it is named."""
    newer = "another secret, and long enough for it"
    with chat(chat_database.conninfo) as first:
        older = first.logged_in("ida").headers["authorization"].removeprefix("Bearer ")
    statuses = []
    for previous in (SECRET, None):
        secrets = {"token_secret": newer, "token_secret_previous": previous}
        with chat(chat_database.conninfo, **secrets) as client:
            statuses.append(client.with_token(older)("GET", "/v1/account")["_"])
            given = client("POST", "/v1/tokens", name="ida", password=PASSWORD)["access_token"]

    assert statuses == [200, 401]
    assert jwt.decode(given, newer, ["HS256"], issuer="chatapp")


def test_going_takes_everything_along(ada: Client, chat_database: Database) -> None:
    """With an account go its conversations, messages and summaries; its token is no good then."""
    path = ada.conversation()
    ada("POST", f"{path}/messages", content="Hello")
    ada("POST", f"{path}/summaries")
    gone = ada("DELETE", "/v1/account")
    left = chat_database.psql(
        "SELECT count(*) FROM conversations c LEFT JOIN users u ON u.id = c.user_id "
        f"WHERE c.id = '{path.rpartition('/')[2]}'"
    )

    assert (gone["_"], left, ada("GET", "/v1/account")["_"]) == (204, [(0,)], 401)
