"""SOAP answers in an MTOM frame: unwrapped whatever ends their lines, tried again when cut off."""

from __future__ import annotations

import base64
from io import BytesIO

import pytest

from onefold.connectors.soap.envelope import result_text
from onefold.connectors.soap.mtom import unwrapped
from onefold.http.attempt import BadBody
from tests.connectors.soap.shop import MTOM, envelope, framed, judged


@pytest.mark.parametrize("newline", ["\r\n", "\n"], ids=["crlf", "lf"])
def test_mtom_is_unwrapped_whatever_ends_its_lines(newline):
    content = f"<R><Result>a{newline}b</Result></R>"
    root = envelope(content).decode()
    assert unwrapped(MTOM, BytesIO(framed(newline, root))).read() == root.encode()
    assert result_text(judged(framed(newline, root), content_type=MTOM)) == "a\nb"


@pytest.mark.parametrize("newline", ["\r\n", "\n"], ids=["crlf", "lf"])
def test_an_included_part_is_put_in_its_place(newline):
    include = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:file%401"/>'
    root = envelope(f"<R><Result>{include}</Result></R>").decode()
    body = judged(framed(newline, root, ("file@1", "the file")), content_type=MTOM)
    assert base64.b64decode(result_text(body)) == b"the file"
    with pytest.raises(BadBody, match="without a part that its envelope includes"):
        judged(framed(newline, root), content_type=MTOM)


@pytest.mark.parametrize("cut", [20, 60, 150, -8])
def test_a_frame_that_is_cut_off_is_tried_again(cut):
    with pytest.raises(BadBody):
        unwrapped(MTOM, BytesIO(framed("\r\n", envelope("<R/>").decode())[:cut]))
    with pytest.raises(BadBody, match="without a boundary"):
        unwrapped("multipart/related", BytesIO(b"x"))
