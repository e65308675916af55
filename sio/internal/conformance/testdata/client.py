"""Puts python-socketio's client, the one of MODE (sync or asyncio), through what checks.mjs does, over TRANSPORTS. It prints
what worked and ends with status 0 if all did. This client knows no recovery."""

import asyncio
import os
import sys
import threading
import time
import urllib.request

import socketio

PATIENCE = 20
URL = os.environ["URL"]
TRANSPORTS = os.environ["TRANSPORTS"].split(",")
LARGE = bytes(i % 251 for i in range(100_000))


def equal(got, want):
    if got != want:
        raise AssertionError(f"got {got!r:.200}; want {want!r:.200}")


def cut(lost):
    """Asks for all connections to be cut, as a broken network does. Between two GETs nobody notices: so until lost says so."""
    deadline = time.monotonic() + PATIENCE
    while not lost(0.05) and time.monotonic() < deadline:
        urllib.request.urlopen(os.environ["CUT"]).close()


def sync():
    client = socketio.Client(reconnection_delay=0.01, randomization_factor=0)
    happened = {}

    def expect(event):
        happened[event] = (threading.Event(), [])
        if event in ("connect", "disconnect"):
            client.on(event, lambda: happened[event][0].set())
        else:
            client.on(event, lambda *args: (happened[event][1].extend(args), happened[event][0].set()))

    def wait(event):
        if not happened[event][0].wait(PATIENCE):
            raise AssertionError(f"{event} did not come")
        return happened[event][1]

    expect("connect")
    client.connect(URL, transports=TRANSPORTS, wait_timeout=PATIENCE)
    wait("connect")
    equal(client.eio.current_transport, TRANSPORTS[-1])
    yield "connect"
    expect("hi")
    client.emit("hi")
    wait("hi")
    yield "event"
    equal(client.call("echo", {"a": [1, "ü", None]}, timeout=PATIENCE), {"a": [1, "ü", None]})
    client.on("ack", lambda: (5, {"test": True}))
    expect("got it")
    client.emit("ack")
    wait("got it")
    yield "ack"
    expect("doge")
    client.emit("doge")
    equal(wait("doge")[0], b"asdfasdf")
    expect("jsonbuff-ack")
    client.emit("jsonbuff", {"hello": "lol", "message": b"\1\2\3", "goodbye": "gotcha"})
    wait("jsonbuff-ack")
    yield "binary"
    equal(client.call("echo", LARGE, timeout=PATIENCE), LARGE)
    yield "binary ack"
    expect("disconnect")
    expect("connect")
    cut(happened["disconnect"][0].wait)
    wait("disconnect")
    wait("connect")
    equal(client.call("echo", "again", timeout=PATIENCE), "again")
    yield "reconnect"
    client.disconnect()


async def asynchronous():
    client = socketio.AsyncClient(reconnection_delay=0.01, randomization_factor=0)
    happened = {}

    def expect(event):
        happened[event] = asyncio.get_running_loop().create_future()

        def handle(*args):
            if not happened[event].done():
                happened[event].set_result(args)

        client.on(event, handle)

    async def wait(event):
        return await asyncio.wait_for(happened[event], PATIENCE)

    expect("connect")
    await client.connect(URL, transports=TRANSPORTS, wait_timeout=PATIENCE)
    await wait("connect")
    equal(client.eio.current_transport, TRANSPORTS[-1])
    yield "connect"
    expect("hi")
    await client.emit("hi")
    await wait("hi")
    yield "event"
    equal(await client.call("echo", {"a": [1, "ü", None]}, timeout=PATIENCE), {"a": [1, "ü", None]})
    client.on("ack", lambda: (5, {"test": True}))
    expect("got it")
    await client.emit("ack")
    await wait("got it")
    yield "ack"
    expect("doge")
    await client.emit("doge")
    equal((await wait("doge"))[0], b"asdfasdf")
    expect("jsonbuff-ack")
    await client.emit("jsonbuff", {"hello": "lol", "message": b"\1\2\3", "goodbye": "gotcha"})
    await wait("jsonbuff-ack")
    yield "binary"
    equal(await client.call("echo", LARGE, timeout=PATIENCE), LARGE)
    yield "binary ack"
    expect("disconnect")
    expect("connect")
    await asyncio.to_thread(cut, lambda wait: time.sleep(wait) or happened["disconnect"].done())
    await wait("disconnect")
    await wait("connect")
    equal(await client.call("echo", "again", timeout=PATIENCE), "again")
    yield "reconnect"
    await client.disconnect()


def run(done):
    for step in sync():
        done.append(step)


async def run_async(done):
    async for step in asynchronous():
        done.append(step)


def main():
    done = []
    try:
        if os.environ["MODE"] == "sync":
            run(done)
        else:
            asyncio.run(run_async(done))
    except Exception as failure:  # whatever it is, it is what the test is told
        print(f"after {done}: {type(failure).__name__}: {failure}", file=sys.stderr)
        status = 1
    else:
        status = 0
    print(", ".join(done), flush=True)
    os._exit(status)  # threads of a client that is half closed would hold it up


main()
