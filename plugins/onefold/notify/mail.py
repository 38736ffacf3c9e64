"""Notices by e-mail, through the SMTP server of an Airflow connection."""

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
from onefold.notify.notification import Notice

SECONDS = 20
PORTS = {"starttls": 587, "ssl": 465, "none": 25}


@dataclass(frozen=True)
class Mail:
    """Sends by SMTP. The connection's host and port are the server's, its extra says `from`, `to` (with commas between
    several) and `tls`: starttls (default), ssl, or none, which is refused where there is a password to send."""

    name: str
    endpoint: Callable[[], Endpoint]

    def tell(self, notice: Notice) -> None:
        """Raises Fatal where the connection or the server says no for good, Retriable where it may work later."""
        endpoint = self.endpoint()
        extra = endpoint.extra or {}
        tls = extra.get("tls", "starttls")
        if not extra.get("from") or not extra.get("to") or tls not in PORTS:
            raise Fatal(
                f"{self.name}: the Airflow connection's extra must say who sends and who gets the mail: "
                '{"from": "onefold@example.com", "to": "team@example.com", "tls": "starttls" | "ssl" | "none"}.'
            )
        if tls == "none" and endpoint.password:
            raise Fatal(f'{self.name}: a password is not sent in the clear. Set "tls" to starttls or ssl.')
        message = _message(notice, extra["from"], extra["to"])
        try:
            _send(message, endpoint, tls)
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
            raise Fatal(
                f"{self.name}: the mail server refused the login or an address ({type(error).__name__}). "
                "Compare the Airflow connection with it."
            ) from None
        except ssl.SSLError as error:
            raise Fatal(f"{self.name}: the mail server's TLS certificate could not be verified.") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Retriable(f"{self.name}: the mail server did not take the mail ({type(error).__name__}).") from None


def _send(message: EmailMessage, endpoint: Endpoint, tls: str) -> None:
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
        smtp.send_message(message)


def _message(notice: Notice, sender: str, to: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = notice.title, sender, to
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="onefold.invalid")
    message.set_content(notice.text)
    return message
