"""Solves and installs as pixi and rattler-build do, with the library they share.

condasolve.py solve SPEC CHANNEL...           says what it would install, a line each
condasolve.py install PREFIX SPEC CHANNEL...  installs it into an empty folder
"""

import asyncio
import os
import sys

import rattler


# It finds credentials where those programs keep them.
client = rattler.Client.default_client(max_retries=0)


async def solve(spec, channels):
    return await rattler.solve(
        sources=channels,
        specs=[spec],
        platforms=["linux-64", "noarch"],
        gateway=rattler.Gateway(client=client, show_progress=False),
    )


async def main(command, *arguments):
    prefix = None
    if command == "install":
        prefix, *arguments = arguments
    spec, *channels = arguments
    records = await solve(spec, channels)
    for record in sorted(records, key=lambda r: r.file_name):
        print(record.file_name, "from", record.url)
    if prefix:
        await rattler.install(records, prefix, client=client, show_progress=False, platform=rattler.Subdir("linux-64"))
        print("installed")


code = 0
try:
    asyncio.run(main(*sys.argv[1:]))
except Exception as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    code = 1
# The library's threads may outlive the interpreter, which then crashes: leave
# without taking it down.
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
