"""Python FastMCP. `own`: with an authorization server of its own; `remote ISSUER JWKS_URI`: as a resource server of that one."""

import asyncio
import json
import socket
import sys
import threading

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.auth import ClientRegistrationOptions, RemoteAuthProvider, RevocationOptions
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier
from pydantic import AnyHttpUrl

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
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


def remote(issuer, jwks_uri):
    verifier = JWTVerifier(jwks_uri=jwks_uri, issuer=issuer, audience=f"{origin}/mcp", required_scopes=["mcp:tools"])
    return RemoteAuthProvider(token_verifier=verifier, authorization_servers=[AnyHttpUrl(issuer)], base_url=origin)


auth = {"own": own, "remote": remote}[sys.argv[1]](*sys.argv[2:])
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
