"""Python FastMCP at the given port (0: any). `own`: with an authorization server of its own; `remote ISSUER JWKS_URI`: as a
resource server of that one; `proxy ISSUER JWKS_URI`: with its OAuth proxy before that one, as the client in CLIENT_ID and CLIENT_SECRET."""

import asyncio
import json
import os
import secrets
import socket
import sys
import threading

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.auth import ClientRegistrationOptions, RemoteAuthProvider, RevocationOptions
from fastmcp.server.auth.oauth_proxy import OAuthProxy
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier
from key_value.aio.stores.memory import MemoryStore
from pydantic import AnyHttpUrl

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
origin = f"http://127.0.0.1:{listener.getsockname()[1]}"


class Counting(InMemoryOAuthProvider):
    refreshes = 0

    async def exchange_refresh_token(self, *args, **named):
        tokens = await super().exchange_refresh_token(*args, **named)
        self.refreshes += 1
        return tokens


def own():
    scopes = ["mcp:tools"]
    return Counting(
        base_url=origin,
        client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=scopes, default_scopes=scopes),
        revocation_options=RevocationOptions(enabled=True),
        required_scopes=scopes,
    )


def verifier(issuer, jwks_uri):
    return JWTVerifier(jwks_uri=jwks_uri, issuer=issuer, audience=f"{origin}/mcp", required_scopes=["mcp:tools"])


def remote(issuer, jwks_uri):
    return RemoteAuthProvider(token_verifier=verifier(issuer, jwks_uri), authorization_servers=[AnyHttpUrl(issuer)], base_url=origin)


def proxy(issuer, jwks_uri):
    return OAuthProxy(
        upstream_authorization_endpoint=f"{issuer}/auth",
        upstream_token_endpoint=f"{issuer}/token",
        upstream_client_id=os.environ["CLIENT_ID"],
        upstream_client_secret=os.environ["CLIENT_SECRET"],
        token_verifier=verifier(issuer, jwks_uri),
        base_url=origin,
        client_storage=MemoryStore(),
        jwt_signing_key=secrets.token_hex(32),
    )


auth = {"own": own, "remote": remote, "proxy": proxy}[sys.argv[2]](*sys.argv[3:])
mcp = FastMCP("interop-peer", auth=auth)


@mcp.tool
def echo(text: str) -> str:
    """Says it again"""
    return text


def say(word, value):
    print(word, json.dumps(value), flush=True)


class Server(uvicorn.Server):
    async def startup(self, *args, **named):
        await super().startup(*args, **named)
        say("READY", {"url": f"{origin}/mcp"})


server = Server(uvicorn.Config(mcp.http_app(), log_level="warning"))


def take_orders():
    for line in sys.stdin:
        if line.strip() == "expire":
            auth.access_tokens.clear()
        say("DONE", getattr(auth, "refreshes", 0))
    server.should_exit = server.force_exit = True


threading.Thread(target=take_orders, daemon=True).start()
asyncio.run(server.serve(sockets=[listener]))
