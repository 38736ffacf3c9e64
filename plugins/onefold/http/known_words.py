"""The words of an error answer that may be repeated: error codes that are published, and what our own catalogue names.

Everything else in an answer may come from a record (onefold.foreign_text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from onefold.catalog.system import System

_OAUTH = (  # RFC 6749, 5.2 and 4.1.2.1; RFC 6750, 3.1; RFC 7523
    "invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope "
    "invalid_token insufficient_scope access_denied server_error temporarily_unavailable invalid_client_id "
    "inactive_user inactive_org rate_limit_exceeded"
)
_SALESFORCE = (  # SOAP API Developer Guide, "ExceptionCode"; Bulk API 2.0, "Error Codes"
    "API_CURRENTLY_DISABLED API_DISABLED_FOR_ORG EXCEEDED_ID_LIMIT INSUFFICIENT_ACCESS INVALIDJOB INVALIDJOBSTATE "
    "INVALID_FIELD INVALID_LOCATOR INVALID_LOGIN INVALID_OPERATION INVALID_QUERY_FILTER_OPERATOR INVALID_QUERY_LOCATOR "
    "INVALID_QUERY_SCOPE INVALID_REPLICATION_DATE INVALID_SESSION_ID INVALID_TYPE INVALID_VERSION JSON_PARSER_ERROR "
    "LIMIT_EXCEEDED MALFORMED_ID MALFORMED_QUERY METHOD_NOT_ALLOWED NOT_FOUND NUMBER_OUTSIDE_VALID_RANGE "
    "OPERATION_TOO_LARGE QUERY_TIMEOUT QUERY_TOO_COMPLICATED REQUEST_LIMIT_EXCEEDED REQUEST_RUNNING_TOO_LONG "
    "SERVER_UNAVAILABLE TXN_SECURITY_METERING_ERROR UNABLE_TO_LOCK_ROW UNKNOWN_EXCEPTION UNSUPPORTED_API_VERSION"
)
_SALESFORCE_ITEMS = (  # SOAP API Developer Guide, "StatusCode": why one record was not written
    "ALL_OR_NONE_OPERATION_ROLLED_BACK ALREADY_IN_PROCESS CANNOT_EXECUTE_FLOW_TRIGGER "
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY CANNOT_UPDATE_CONVERTED_LEAD DATABASE_ERROR DELETE_FAILED DEPENDENCY_EXISTS "
    "DUPLICATES_DETECTED DUPLICATE_EXTERNAL_ID DUPLICATE_VALUE ENTITY_IS_DELETED ENTITY_IS_LOCKED "
    "FIELD_CUSTOM_VALIDATION_EXCEPTION FIELD_FILTER_VALIDATION_EXCEPTION FIELD_INTEGRITY_EXCEPTION "
    "INACTIVE_OWNER_OR_USER INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY INSUFFICIENT_ACCESS_OR_READONLY "
    "INVALID_CROSS_REFERENCE_KEY INVALID_EMAIL_ADDRESS INVALID_FIELD_FOR_INSERT_UPDATE "
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST INVALID_TYPE_ON_FIELD_IN_RECORD PROCESSING_HALTED REQUIRED_FIELD_MISSING "
    "SELF_REFERENCE_FROM_TRIGGER STORAGE_LIMIT_EXCEEDED STRING_TOO_LONG TRANSFER_REQUIRES_READ "
    "UNAVAILABLE_RECORDTYPE_EXCEPTION"
)
_GRAPH = (  # Microsoft Graph, "Error responses and resource types"; "Best practices: delta query"
    "Authorization_IdentityNotFound Authorization_RequestDenied BadRequest ErrorAccessDenied ErrorInvalidIdMalformed "
    "ErrorItemNotFound ErrorMailboxStoreUnavailable InvalidAuthenticationToken InvalidDeltaToken MailboxConcurrency "
    "MailboxNotEnabledForRESTAPI Request_BadRequest Request_ResourceNotFound Request_UnsupportedQuery "
    "ResourceNotFound ServiceUnavailable TooManyRequests UnknownError accessDenied activityLimitReached badRequest "
    "generalException invalidRange invalidRequest itemNotFound notAllowed notSupported quotaLimitReached "
    "resourceModified resyncChangesApplyDifferences resyncChangesUploadDifferences resyncRequired serviceNotAvailable "
    "syncStateNotFound throttledRequest unauthenticated"
)
_GRAPHQL = (  # Shopify, "GraphQL Admin API: status and error codes"; the GraphQL reference servers' codes
    "ACCESS_DENIED BAD_USER_INPUT DOWNSTREAM_SERVICE_ERROR FORBIDDEN GRAPHQL_PARSE_FAILED GRAPHQL_VALIDATION_FAILED "
    "INTERNAL_SERVER_ERROR INVALID MAX_COST_EXCEEDED MISSING_FIELDS MISSING_PAGINATION_BOUNDARIES "
    "OPERATION_IN_PROGRESS PARSE_ERROR RATE_LIMITED SHOP_INACTIVE THROTTLED TIMEOUT TOO_MANY_REQUESTS UNAUTHENTICATED "
    "argumentLiteralsIncompatible missingRequiredArguments parseError undefinedField undefinedType "
    "variableMismatch"
)
_STRIPE = (  # Stripe API, "Errors"; OpenAI and Anthropic name their types alike
    "api_error api_key_expired authentication_error billing_error card_error idempotency_error invalid_api_key "
    "invalid_request_error lock_timeout not_found_error overloaded_error parameter_invalid_integer parameter_missing "
    "parameter_unknown permission_error platform_api_key_expired rate_limit rate_limit_error resource_missing "
    "secret_key_required testmode_charges_only insufficient_quota"
)
_OBJECT_STORES = (  # Amazon S3, "Error responses"
    "AccessDenied AuthorizationHeaderMalformed ExpiredToken InternalError InvalidAccessKeyId InvalidArgument "
    "InvalidBucketName InvalidRange NoSuchBucket NoSuchKey PermanentRedirect PreconditionFailed RequestTimeTooSkewed "
    "SignatureDoesNotMatch SlowDown"
)
_SOAP = (  # SOAP 1.1, 4.4.1; SOAP 1.2, 5.4.6; WS-Security 1.1, 12; WS-Addressing, 5
    "ActionNotSupported Client DataEncodingUnknown DeserializationFailed FailedAuthentication FailedCheck "
    "InternalServiceFault InvalidAddressingHeader InvalidSecurity InvalidSecurityToken MessageAddressingHeaderRequired "
    "MustUnderstand Receiver SecurityTokenUnavailable Sender Server UnsupportedAlgorithm UnsupportedSecurityToken "
    "VersionMismatch"
)
_REGISTERS = (  # VIES, "Technical information"; GUS BIR 1.1; MF white list, error codes
    "GLOBAL_MAX_CONCURRENT_REQ INVALID_INPUT INVALID_REQUESTER_INFO IP_BLOCKED MS_MAX_CONCURRENT_REQ MS_UNAVAILABLE "
    "SERVER_BUSY SERVICE_UNAVAILABLE VAT_BLOCKED INVALID_VAT VAT_NOT_FOUND"
)
_LISTS = (_OAUTH, _SALESFORCE, _SALESFORCE_ITEMS, _GRAPH, _GRAPHQL, _STRIPE, _OBJECT_STORES, _SOAP, _REGISTERS)
ERROR_CODES = frozenset(" ".join(_LISTS).split())
"""Codes that the systems' own documentation lists. What is not here is not repeated, however much it looks like one."""

_FRAME = frozenset({"code", "detail", "details", "error", "errors", "message", "name", "status", "title", "type"})
"""Members of error answers themselves: that a field is called so too says nothing."""
_PLAIN = re.compile(r"[^\W\d_][\w.:/-]{2,}")


def known_words(system: System) -> frozenset[str]:
    """The error codes, and what the system's YAML calls its fields, tables, parameters and operations."""
    return ERROR_CODES | (frozenset(_named_in(system)) - _FRAME)


def _named_in(system: System) -> Iterator[str]:
    yield from (text for text in (*system.errors.retry, *system.errors.quota_exhausted) if _PLAIN.fullmatch(text))
    for stream in system.streams.values():
        request = stream.request
        written = (*request.params, *request.arguments, *request.types.values(), *request.connections, *request.expand)
        written += tuple(filter(None, (request.table, request.operation, request.path)))
        for text in (*stream.fields, *(field.path or "" for field in stream.fields.values()), *written):
            yield from (word for word in re.split(r"[./?&=$\s]+", text) if _PLAIN.fullmatch(word))
