"""How FAB signs people in ([fab] config_file), by the settings ONEFOLD_OIDC_*. Flask takes the names in capitals."""

from flask_appbuilder.const import AUTH_OAUTH

from onefold.errors import Fatal
from onefold.orchestration.oidc.provider import EVERYBODY, NAME, identity_provider
from onefold.orchestration.oidc.security import RealmSecurity

_provider = identity_provider()
if _provider is None:
    raise Fatal(
        "ONEFOLD_OIDC_ISSUER is not set for the API server, so nobody can sign in. Start it with bin/onefold up."
    )

AUTH_TYPE = AUTH_OAUTH
AUTH_USER_REGISTRATION = True
AUTH_USER_REGISTRATION_ROLE = EVERYBODY
AUTH_ROLES_SYNC_AT_LOGIN = True
AUTH_ROLES_MAPPING = {group: [right] for group, right in _provider.groups.items()}
SECURITY_MANAGER_CLASS = RealmSecurity
OAUTH_PROVIDERS = [
    {
        "name": NAME,
        "token_key": "access_token",
        "remote_app": {
            "client_id": _provider.client,
            "client_secret": _provider.client_secret,
            "server_metadata_url": f"{_provider.issuer.rstrip('/')}/.well-known/openid-configuration",
            "client_kwargs": {
                "scope": "openid profile",
                "code_challenge_method": "S256",
                "verify": _provider.authority,
                **({} if _provider.client_secret else {"token_endpoint_auth_method": "none"}),
            },
        },
    }
]
