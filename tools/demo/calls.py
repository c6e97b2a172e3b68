"""Calls tools through the gateway with the MCP SDK and prints what came back: one allowed call on an HTTP server, one on a
stdio server, and one that each of the four layers denies. Exits 1 when anything came out otherwise.

usage: SP_TOKEN=... calls.py GATEWAY_URL
"""

import asyncio
import contextlib
import os
import sys

import httpx
from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamablehttp_client

SECRET = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"

# server, tool, arguments, expected outcome
CALLS = [
    ("everything", "echo", {"message": "hello"}, "allowed"),
    ("time", "get_current_time", {"timezone": "UTC"}, "allowed"),
    ("files", "write_file", {"path": "x.txt", "content": "x"}, "denied by scope"),
    ("everything", "echo", {"message": f"my token is {SECRET}"}, "denied by secrets"),
    ("everything", "echo", {"message": "run it", "command": "rm -rf / --no-preserve-root"}, "denied by blocklist"),
    ("everything", "get-tiny-image", {}, "denied by rate"),
]


class Refusals:
    """HTTP answers of status 401 and 403, which the SDK does not hand to its caller."""

    def __init__(self):
        self.last = None

    async def see(self, response):
        if response.status_code in (401, 403):
            await response.aread()
            self.last = response

    def client(self, headers=None, timeout=None, auth=None):
        return httpx.AsyncClient(
            headers=headers, timeout=timeout, auth=auth, follow_redirects=True, event_hooks={"response": [self.see]}
        )


async def call(url, token, server, tool, arguments):
    """One session, one call; (outcome, what the gateway or the tool said, trace)."""
    refusals = Refusals()
    endpoint = f"{url}/api/v1/mcp/{server}/mcp"
    try:
        async with streamablehttp_client(
            endpoint, headers={"Authorization": f"Bearer {token}"}, httpx_client_factory=refusals.client
        ) as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                times = 3 if tool == "get-tiny-image" else 1
                for _ in range(times):
                    calling = asyncio.ensure_future(session.call_tool(tool, arguments))
                    while not calling.done() and refusals.last is None:
                        await asyncio.wait([calling], timeout=0.05)
                    if refusals.last is not None:
                        calling.cancel()
                        with contextlib.suppress(BaseException):
                            await calling
                        break
                    result = calling.result()
                if refusals.last is None:
                    first = result.content[0]
                    return "allowed", " ".join(getattr(first, "text", first.type).split()), ""
    except BaseException as error:  # the SDK wraps what happens in its tasks into groups
        if refusals.last is None:
            error = innermost(error)
            if not isinstance(error, McpError):
                raise
            data = error.error.data
            return f"denied by {data['layer']}", f"{data['reason']}: {data.get('rule', '')}", data["trace_id"]
    data = refusals.last.json()["error"]["data"]
    return f"denied by {data['layer']}", f"{data['reason']}: {data.get('rule', '')} (HTTP {refusals.last.status_code})", data["trace_id"]


def innermost(error):
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def main(url):
    token = os.environ["SP_TOKEN"]
    wrong = 0
    print(f"{'server':<11}{'tool':<18}{'outcome':<22}{'detail':<46}trace")
    for server, tool, arguments, expected in CALLS:
        outcome, detail, trace = await call(url, token, server, tool, arguments)
        wrong += outcome != expected
        mark = "" if outcome == expected else f"   <- expected: {expected}"
        print(f"{server:<11}{tool:<18}{outcome:<22}{detail[:44]:<46}{trace}{mark}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        from exceptiongroup import BaseExceptionGroup
    sys.exit(asyncio.run(main(sys.argv[1])))
