"""Solves and installs as pixi and rattler-build do, with the library they share.

rattler.py solve SPEC CHANNEL...           says what it would install, a line each
rattler.py install PREFIX SPEC CHANNEL...  installs it into an empty folder
"""

import asyncio
import sys

import rattler


async def solve(spec, channels):
    return await rattler.solve(
        sources=channels,
        specs=[spec],
        platforms=["linux-64", "noarch"],
        gateway=rattler.Gateway(show_progress=False),
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
        await rattler.install(records, prefix, show_progress=False, platform=rattler.Subdir("linux-64"))
        print("installed")


try:
    asyncio.run(main(*sys.argv[1:]))
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
