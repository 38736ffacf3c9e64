"""Notifications by e-mail, through the SMTP server of an Airflow connection."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import urlsplit

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.notify.notification import Message
from onefold.time_limit import within

SECONDS = 20
ALL_SECONDS = 60.0
"""For a whole mail; SECONDS are for each answer, and begin anew with each byte of it."""
PORTS = {"starttls": 587, "ssl": 465, "none": 25}


@dataclass(frozen=True)
class MailReceiver:
    """Sends by SMTP. The Airflow connection has the server's host and port; its extra has `from`, `to` (several with
    commas) and `tls`: starttls (default), ssl, or none, which is refused when there is a password to send."""

    name: str
    endpoint: Callable[[], Endpoint]

    def send(self, message: Message) -> None:
        """Raises Fatal for a wrong connection or a permanent refusal, Retriable where a later attempt may work."""
        endpoint = self.endpoint()
        extra = endpoint.extra or {}
        tls = extra.get("tls", "starttls")
        if not extra.get("from") or not extra.get("to") or tls not in PORTS:
            raise Fatal(
                f"{self.name}: the Airflow connection's extra must name the sender and the recipients of the mail: "
                '{"from": "onefold@example.com", "to": "team@example.com", "tls": "starttls" | "ssl" | "none"}.'
            )
        if tls == "none" and endpoint.password:
            raise Fatal(f'{self.name}: a password is never sent without encryption. Set "tls" to starttls or ssl.')
        mail = _mail(message, extra["from"], extra["to"])
        try:
            within(ALL_SECONDS, lambda: _send(mail, endpoint, tls))
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
            raise Fatal(
                f"{self.name}: the mail server refused the login or an address ({type(error).__name__}). "
                "Check the login and the addresses in the Airflow connection."
            ) from None
        except ssl.SSLError as error:
            raise Fatal(
                f"{self.name}: the mail server's TLS certificate could not be verified. "
                "Give the host name that the certificate is for, or install its authority's certificate."
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Retriable(f"{self.name}: the mail server did not accept the mail ({type(error).__name__}).") from None


def _send(mail: EmailMessage, endpoint: Endpoint, tls: str) -> None:
    server = urlsplit(endpoint.url)
    host, port = server.hostname or "", server.port or PORTS[tls]
    verified = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=verified)
        if tls == "ssl"
        else smtplib.SMTP(host, port, timeout=SECONDS)
    ) as smtp:
        if tls == "starttls":
            smtp.starttls(context=verified)
        if endpoint.login and endpoint.password:
            smtp.login(endpoint.login, endpoint.password)
        smtp.send_message(mail)


def _mail(message: Message, sender: str, to: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.title, sender, to
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="onefold.invalid")
    mail.set_content(message.text)
    return mail
