"""The schema of SOAP 1.1's own encoding (section 5), which WSDLs of the style rpc/encoded import without saying where
it is. It is written here, with what a call can refer to, so that nothing is fetched from elsewhere.
"""

from __future__ import annotations

NAMESPACE = "http://schemas.xmlsoap.org/soap/encoding/"
_SIMPLE = (
    *("anyURI", "base64Binary", "boolean", "byte", "date", "dateTime", "decimal", "double", "duration", "float"),
    *("gDay", "gMonth", "gMonthDay", "gYear", "gYearMonth", "hexBinary", "int", "integer", "language", "long"),
    *("Name", "NCName", "negativeInteger", "NMTOKEN", "nonNegativeInteger", "nonPositiveInteger", "normalizedString"),
    *("positiveInteger", "QName", "short", "string", "time", "token", "unsignedByte", "unsignedInt", "unsignedLong"),
    "unsignedShort",
)


def encoding_schema() -> bytes:
    """The document."""
    types = "".join(
        f'<xs:element name="{name}" type="e:{name}"/><xs:complexType name="{name}"><xs:simpleContent>'
        f'<xs:extension base="xs:{name}"><xs:attributeGroup ref="e:commonAttributes"/></xs:extension>'
        "</xs:simpleContent></xs:complexType>"
        for name in _SIMPLE
    )
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:e="{NAMESPACE}" targetNamespace="{NAMESPACE}">'
        '<xs:attributeGroup name="commonAttributes"><xs:attribute name="id" type="xs:ID"/>'
        '<xs:attribute name="href" type="xs:anyURI"/><xs:anyAttribute namespace="##other" processContents="lax"/>'
        '</xs:attributeGroup><xs:attribute name="arrayType" type="xs:string"/>'
        '<xs:attribute name="offset" type="xs:string"/><xs:attribute name="root" type="xs:boolean"/>'
        '<xs:group name="Array"><xs:sequence><xs:any namespace="##any" minOccurs="0" maxOccurs="unbounded"'
        ' processContents="lax"/></xs:sequence></xs:group>'
        '<xs:complexType name="Array"><xs:group ref="e:Array" minOccurs="0"/><xs:attribute ref="e:arrayType"/>'
        '<xs:attribute ref="e:offset"/><xs:attributeGroup ref="e:commonAttributes"/></xs:complexType>'
        '<xs:element name="Array" type="e:Array"/>'
        '<xs:complexType name="Struct"><xs:group ref="e:Array" minOccurs="0"/>'
        '<xs:attributeGroup ref="e:commonAttributes"/></xs:complexType><xs:element name="Struct" type="e:Struct"/>'
        f"{types}</xs:schema>"
    ).encode()
