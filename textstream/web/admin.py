"""The operator's API: whose streams there are, stopping one, and taking back what was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from flask import Blueprint, Response, g, jsonify, request
from pydantic import Field, model_validator

from textstream.access.caller import Caller
from textstream.access.policy import Policy
from textstream.access.principal import MAX_SUBJECT, Principal, user_name
from textstream.access.revocations import DAY, Revocations
from textstream.errors import Forbidden, InvalidRequest, TextStreamError
from textstream.hub.hub import Hub
from textstream.hub.oversight import Seen
from textstream.protocol import Payload, parse
from textstream.web.admission import Admission
from textstream.web.api_guard import refuse
from textstream.web.headers import ADMIN
from textstream.web.identity import Identity
from textstream.web.watch import Watch

LISTED = 100
"""Streams that are listed where nobody asks for more, or fewer."""

MOST_LISTED = 1000
DIGITS = 9
"""Of a number that is looked at, at most: of thousands `int` makes none."""

MONTH = 30 * DAY
"""Seconds for which something may be taken back."""

NOBODY_KNOWN = (
    "Nobody is known here: the operator's API needs a token with the scope admin. Start the server "
    "with TEXTSTREAM_AUTH_KEYS, or TEXTSTREAM_AUTHORIZE."
)

Name = Annotated[str, Field(min_length=1, max_length=MAX_SUBJECT)]


class Revoke(Payload):
    """What is to be taken back: a user's tokens, issued until now; one token; a stream's grants."""

    sub: Name | None = None
    jti: Name | None = None
    stream: Name | None = None
    seconds: Annotated[float, Field(gt=0, le=MONTH)] = DAY

    @model_validator(mode="after")
    def _one(self) -> Revoke:
        if sum(one is not None for one in (self.sub, self.jti, self.stream)) != 1:
            raise ValueError("give one of sub, jti and stream")
        return self


class Operator(NamedTuple):
    """Who does something.

    Attributes:
        caller: from where.
        name: of the user.

    """

    caller: Caller
    name: str | None


class Admin:
    """Answers an operator."""

    def __init__(
        self,
        hub: Hub,
        revocations: Revocations,
        *,
        turn_out: Callable[[list[str]], None],
        watch: Watch,
    ) -> None:
        """Make it.

        Args:
            hub: has all streams.
            revocations: knows what was taken back.
            turn_out: tells connections that they have to go, and closes them.
            watch: sees what operators do.

        """
        self._oversight = hub.oversight
        self._sharing = hub.sharing
        self._revocations = revocations
        self._turn_out = turn_out
        self._watch = watch

    def streams(self, most: int, sub: str | None) -> dict[str, Any]:
        """Return the newest streams, of one user or of all, and how many there are."""
        seen = self._oversight.streams()
        if sub is not None:
            seen = [one for one in seen if one.principal == f"user:{sub}"]
        return {"total": len(seen), "streams": [_shown(one) for one in seen[:most]]}

    def stop(self, stream_id: str, operator: Operator) -> dict[str, Any]:
        """Stop a stream for everyone."""
        offset = self._oversight.stop(stream_id)
        self._watch.admin("stop", operator.caller, stream=stream_id, user=operator.name)
        return {"offset": offset}

    def revoke(self, asked: Revoke, operator: Operator) -> dict[str, Any]:
        """Take something back; who is connected with it is turned out."""
        if asked.stream is not None:
            readers = self._sharing.end(asked.stream)
            self._watch.admin(
                "end sharing", operator.caller, stream=asked.stream, user=operator.name
            )
            return {"readers": readers}
        what = "revoke a token"
        if asked.sub is not None:
            self._revocations.revoke_user(asked.sub, asked.seconds)
            what = f"revoke {asked.sub}"
        elif asked.jti is not None:
            self._revocations.revoke_token(asked.jti, asked.seconds)
        self._watch.admin(what, operator.caller, user=operator.name)
        connections = self._oversight.turn_out(self._revocations.cover)
        self._turn_out(connections)
        return {"connections": len(connections)}


def admin_routes(
    admin: Admin, policy: Policy, identity: Identity | None, admission: Admission
) -> Blueprint:
    """Return the routes; only who has the scope ``admin`` is answered."""
    blueprint = Blueprint("admin", __name__)

    @blueprint.before_request
    def check() -> Response | None:
        address = admission.address_of(request.environ)
        try:
            if identity is None or not identity.asks(request.environ):
                raise Forbidden(NOBODY_KNOWN)
            principal = identity.of_request(request.environ, address)
            policy.check(principal, "admin")
        except TextStreamError as error:
            admission.refuse("admin", address, error)
            return refuse(error)
        g.operator = Operator(Caller(address), user_name(principal))
        return None

    @blueprint.errorhandler(TextStreamError)
    def explain(error: TextStreamError) -> Response:
        return refuse(error)

    @blueprint.get(f"{ADMIN}streams")
    def streams() -> Response:
        return jsonify(admin.streams(_limit(request.args.get("limit")), request.args.get("sub")))

    @blueprint.post(f"{ADMIN}streams/<stream_id>/stop")
    def stop(stream_id: str) -> Response:
        return jsonify(admin.stop(stream_id, g.operator))

    @blueprint.post(f"{ADMIN}revoke")
    def revoke() -> Response:
        asked = parse(Revoke, request.get_json(force=True, silent=True))
        return jsonify(admin.revoke(asked, g.operator))

    return blueprint


def shows_admin(
    identity: Identity | None, policy: Policy, admission: Admission, environ: dict[str, Any]
) -> bool:
    """Return whether a request has a token with the scope ``admin``, as far as that takes no time.

    A callable of the operator's is not asked.
    """
    if identity is None or identity.blocking or "HTTP_AUTHORIZATION" not in environ:
        return False
    try:
        policy.check(identity.of_request(environ, admission.address_of(environ)), "admin")
    except TextStreamError:
        return False
    return True


def _limit(text: str | None) -> int:
    if text is None:
        return LISTED
    if not (
        text.isascii() and text.isdigit() and len(text) <= DIGITS and 0 < int(text) <= MOST_LISTED
    ):
        raise InvalidRequest(f"limit: a number from 1 to {MOST_LISTED}")
    return int(text)


def _shown(one: Seen) -> dict[str, Any]:
    return {
        **one.stream.model_dump(),
        "sub": user_name(Principal(one.principal)),
        "address": one.address or None,
    }
