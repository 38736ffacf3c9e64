"""What the stand-ins ask of a message's WS-Security header, checked for real: a name and password, or a signature.

Source: OASIS, Web Services Security 1.0, UsernameToken Profile and X.509 Certificate Token Profile.
"""

import hmac
from datetime import UTC, datetime, timedelta

import xmlsec
from lxml import etree

from sandbox.wire.soap import Refused

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
WSSE = f"{{{_OASIS}-wssecurity-secext-1.0.xsd}}"
WSU = f"{{{_OASIS}-wssecurity-utility-1.0.xsd}}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
PASSWORD_TEXT = f"{_OASIS}-username-token-profile-1.0#PasswordText"
_CLOCKS_DISAGREE = timedelta(minutes=1)
_WANTED = {
    "SignatureMethod": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "DigestMethod": "http://www.w3.org/2001/04/xmlenc#sha256",
}


def check_user(envelope: etree._Element, login: str, password: str) -> None:
    """Raises Refused unless the header holds just this UsernameToken and a timestamp that has not run out."""
    security = _security(envelope)
    token = security.find(f"{WSSE}UsernameToken")
    shown = token.find(f"{WSSE}Password") if token is not None else None
    if shown is None or shown.get("Type") != PASSWORD_TEXT:
        raise Refused("The header has no UsernameToken with a password text.")
    given = f"{token.findtext(f'{WSSE}Username')}\n{shown.text}"
    if not hmac.compare_digest(given.encode(), f"{login}\n{password}".encode()):
        raise Refused("The name or the password is wrong.")
    _check_time(security)


def check_signature(envelope: etree._Element, certificate: str) -> None:
    """Raises Refused unless this certificate's key (PEM) has signed body and timestamp, with RSA and SHA-256."""
    security = _security(envelope)
    token, signature = security.find(f"{WSSE}BinarySecurityToken"), security.find(f"{DS}Signature")
    if token is None or signature is None or list(security).index(token) > list(security).index(signature):
        raise Refused("The header has no token that stands before its signature.")
    if "".join((token.text or "").split()) != _base64(certificate):
        raise Refused("The certificate is not known.")
    for name, algorithm in _WANTED.items():
        if any(node.get("Algorithm") != algorithm for node in signature.iter(f"{DS}{name}")):
            raise Refused(f"The {name} is not {algorithm}.")
    _check_time(security)
    context = xmlsec.SignatureContext()
    signed = {reference.get("URI") for reference in signature.iter(f"{DS}Reference")}
    for node in (envelope[-1], security.find(f"{WSU}Timestamp")):
        if f"#{node.get(f'{WSU}Id')}" not in signed:
            raise Refused("The body and the timestamp are not both signed.")
        context.register_id(node, "Id", WSU[1:-1])
    context.key = xmlsec.Key.from_memory(certificate, xmlsec.KeyFormat.CERT_PEM)
    try:
        context.verify(signature)
    except xmlsec.Error as error:
        raise Refused("The signature does not fit.") from error


def _security(envelope: etree._Element) -> etree._Element:
    found = envelope.findall(f"{{*}}Header/{WSSE}Security")
    if len(found) != 1:
        raise Refused("The message needs one Security header.")
    return found[0]


def _check_time(security: etree._Element) -> None:
    timestamp = security.find(f"{WSU}Timestamp")
    if timestamp is None:
        raise Refused("The header has no timestamp.")
    try:
        created, expires = (datetime.fromisoformat(timestamp.findtext(f"{WSU}{n}")) for n in ("Created", "Expires"))
    except (TypeError, ValueError) as error:
        raise Refused("The timestamp cannot be read.") from error
    if not created - _CLOCKS_DISAGREE <= datetime.now(UTC) < expires:
        raise Refused("The timestamp has run out.")


def _base64(certificate: str) -> str:
    """What stands between the lines of a PEM text."""
    return "".join(certificate.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0].split())
