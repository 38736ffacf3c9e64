"""How a sender signs what it posts to us, and which event it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from onefold.catalog.model import Model
from onefold.catalog.parent import Status

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]


class Fetch(Model):
    """The event only names a record, or may be older than the record is: the record is read from the system itself."""

    fill: Annotated[dict[str, str], Field(min_length=1)] = Field(
        description="what of the event (dotted path) is filled in for {name} in request, and becomes the field of that "
        "name in the record. The primary_key is one of them"
    )
    gone: list[Status] = Field([], description="statuses that mean that the record is deleted, as 404")


class Recover(Model):
    """Events that the sender could not deliver are taken from its own list of them when a load begins."""

    path: str = Field(
        "/v1/events", pattern="^/", description="github: the webhook in its API, as /repos/OWNER/REPOSITORY/hooks/ID"
    )
    params: dict[str, str] = Field(
        {}, description='more parameters of the list, as "types[0]" of Stripe: it has the events of all endpoints'
    )


class Webhook(Model):
    """The sender's signature. The secrets are in the Airflow connection (extra: signing_secret)."""

    signature: Literal[
        "stripe", "github", "slack", "shopify", "standard", "hmac", "salesforce_outbound", "microsoft_graph"
    ] = Field(
        description="standard: Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature); hmac: an "
        "HMAC-SHA256 of the body in a header of the sender's own; salesforce_outbound, microsoft_graph: none, but an "
        "organisation's id, or the subscription's clientState, in the body"
    )
    header: HeaderName | None = Field(None, description="hmac: the header with the signature; needed there")
    encoding: Literal["hex", "base64"] = Field("hex", description="hmac: how the signature is written")
    prefix: str = Field("", description='hmac: what stands before the signature, as "sha256="')
    event_id: HeaderName | None = Field(
        None, description="hmac: the header with the event's id, the same when it is sent again; default: two equal "
        "bodies are one event"
    )  # fmt: skip
    certificate_header: HeaderName | None = Field(
        None, description="the header in which the reverse proxy, and nobody else, says whose client certificate was "
        "shown; it must be what the Airflow connection has (extra: client_certificate)"
    )  # fmt: skip
    fetch: Fetch | None = Field(
        None, description="rest: how the record that an event names is asked for by request; needed there"
    )
    recover: Recover | None = Field(
        None, description="stripe, github: what could not be delivered is asked for with the sign-in of the system"
    )
    max_bytes: PositiveInt = Field(1 << 20, le=64 << 20, description="a larger body is refused")

    @property
    def secret_name(self) -> str:
        """The key of the Airflow connection's extra that has what a request is checked against."""
        return "organization_id" if self.signature == "salesforce_outbound" else "signing_secret"

    @model_validator(mode="after")
    def _headers_are_of_hmac(self) -> Webhook:
        own = sorted(self.model_fields_set & {"header", "encoding", "prefix", "event_id"})
        if self.signature != "hmac" and own:
            raise ValueError(f"webhook: signature {self.signature} says itself what {', '.join(own)} is; take it out")
        if self.recover and self.signature not in ("stripe", "github"):
            raise ValueError(f"webhook.recover: {self.signature} has no list of what it could not deliver; take it out")
        if self.recover and self.signature == "github" and "path" not in self.recover.model_fields_set:
            raise ValueError("webhook.recover needs path: the webhook in GitHub's API (/repos/OWNER/REPO/hooks/ID)")
        if self.signature == "hmac" and not self.header:
            raise ValueError("webhook: signature hmac needs header: the header that the signature stands in")
        return self
