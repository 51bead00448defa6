#!/usr/bin/env python3
"""Reads and writes through the endpoint of a cluster, ten times a second each, every one on a new
connection, and logs how each went.

    probe.py --kubeconfig admin.conf --log FILE [--server URL] [--interval S] [--deadline S]
    probe.py --kubeconfig admin.conf --log FILE [--server URL] --verify
    probe.py --kubeconfig admin.conf --log FILE [--server URL] --delete

Runs until standard input ends, SIGTERM or SIGINT, so that it never outlives what started it. A
read fetches a namespace, which an API server answers from etcd by quorum. A write creates a
ConfigMap with a name of its own, so whether an acknowledged write was lost can be decided later.
A probe without a whole, successful answer when its deadline is over has failed.

The first line of the log says the settings; every other line is one probe:
{"kind": "read", "n": 7, "start": seconds since boot, "wall": Unix time, "latency": seconds,
 "reason": null, or what went wrong}

--verify prints {"acknowledged": N, "unacknowledged": N, "lost": [names]}: of the log's writes so
far, how many were acknowledged, how many of the others are there all the same, and which of the
acknowledged are gone. --delete removes what the log's run wrote.
"""

import argparse
import base64
import json
import os
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse

import yaml

NAMESPACE = '/api/v1/namespaces/default'
LABEL = 'hagen-probe'
# Of a list or a deletion: small enough for a cluster that has just lost a node.
CHUNK = 500
# Of one request of --verify and --delete, and how often one is tried.
PATIENCE, TRIES = 30, 5


def now():
    """Seconds since boot: a harness on the same host reads the same clock in /proc/uptime."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Failed(Exception):
    """What went wrong, in a few words that many probes have in common."""


class Endpoint:
    """An API server's address and the operator's credential."""

    def __init__(self, kubeconfig, server):
        with open(kubeconfig, encoding='utf-8') as file:
            config = yaml.safe_load(file)
        cluster, user = config['clusters'][0]['cluster'], config['users'][0]['user']
        url = urllib.parse.urlsplit(server or cluster['server'])
        self.host, self.port, self.authority = url.hostname, url.port or 443, url.netloc
        trusted = base64.b64decode(cluster['certificate-authority-data']).decode()
        self.context = ssl.create_default_context(cadata=trusted)
        # The library takes a certificate and its key from files only.
        with tempfile.NamedTemporaryFile() as file:
            for field in 'client-certificate-data', 'client-key-data':
                file.write(base64.b64decode(user[field]) + b'\n')
            file.flush()
            self.context.load_cert_chain(file.name)

    def request(self, patience, method, path, body=None):
        """The status and the body of the answer to one request on a connection of its own."""
        deadline = time.monotonic() + patience
        phase = 'connect'

        def left():
            rest = deadline - time.monotonic()
            if rest <= 0:
                raise TimeoutError
            return rest

        try:
            with socket.create_connection((self.host, self.port), timeout=left()) as plain:
                # The request is one small packet.
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                phase = 'tls'
                plain.settimeout(left())
                with self.context.wrap_socket(plain, server_hostname=self.host) as tls:
                    phase = 'answer'
                    # HTTP/1.0: the answer ends where the connection does.
                    head = [f'{method} {path} HTTP/1.0', f'Host: {self.authority}',
                            'Accept: application/json', 'User-Agent: hagen-probe']
                    data = json.dumps(body).encode() if body is not None else b''
                    if data:
                        head += ['Content-Type: application/json', f'Content-Length: {len(data)}']
                    tls.settimeout(left())
                    tls.sendall('\r\n'.join([*head, '', '']).encode() + data)
                    answer = bytearray()
                    while True:
                        tls.settimeout(left())
                        part = tls.recv(1 << 16)
                        if not part:
                            return self.parse(bytes(answer))
                        answer += part
        except TimeoutError:
            raise Failed(f'{phase}: deadline') from None
        except ssl.SSLCertVerificationError as error:
            raise Failed(f'{phase}: {error.verify_message}') from None
        except ssl.SSLError as error:
            raise Failed(f'{phase}: {error.reason or error}') from None
        except OSError as error:
            raise Failed(f'{phase}: {os.strerror(error.errno) if error.errno else error}') from None

    @staticmethod
    def parse(answer):
        head, end, body = answer.partition(b'\r\n\r\n')
        if not end:
            raise Failed('answer: closed')
        first, *fields = head.decode('latin-1').split('\r\n')
        headers = {name.lower(): value.strip() for name, _, value in
                   (field.partition(':') for field in fields)}
        if len(body) < int(headers.get('content-length', 0)):
            raise Failed('answer: closed')
        return int(first.split()[1]), body


class Log:
    """One line of JSON for each thing that happened."""

    def __init__(self, path):
        self.file = open(path, 'x', encoding='utf-8')
        self.lock = threading.Lock()

    def write(self, **line):
        text = json.dumps(line) + '\n'
        with self.lock:
            self.file.write(text)
            self.file.flush()


def read(endpoint, patience, _run, _n):
    expect(200, *endpoint.request(patience, 'GET', NAMESPACE))


def write(endpoint, patience, run, n):
    metadata = {'name': name(run, n), 'labels': {LABEL: run}}
    body = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': metadata}
    expect(201, *endpoint.request(patience, 'POST', f'{NAMESPACE}/configmaps', body))


def name(run, n):
    return f'hagen-probe-{run}-{n}'


def expect(wanted, status, body):
    if status != wanted:
        raise Failed(f'http {status}')
    json.loads(body)


def probe(endpoint, log, settings, kind, action, n, room):
    """One probe, in a thread of its own."""
    start, wall, reason = now(), time.time(), None
    try:
        action(endpoint, settings.deadline, settings.run, n)
    except Failed as error:
        reason = str(error)
    except Exception as error:  # An answer that is no HTTP or no JSON.
        reason = f'answer: {type(error).__name__}'
    latency = now() - start
    if reason is None and latency > settings.deadline:
        reason = 'answer: deadline'
    log.write(kind=kind, n=n, start=round(start, 4), wall=round(wall, 3),
              latency=round(latency, 4), reason=reason)
    room.release()


def pace(endpoint, log, settings, kind, action, ended):
    """Starts a probe each interval. One that hangs delays no other; the deadline bounds them."""
    room = threading.BoundedSemaphore(int(2 * settings.deadline / settings.interval) + 2)
    due, n = time.monotonic(), 0
    while not ended.wait(max(0, due - time.monotonic())):
        room.acquire()
        arguments = endpoint, log, settings, kind, action, n, room
        threading.Thread(target=probe, args=arguments).start()
        n += 1
        # A host too busy to start one in time gets fewer, never a burst.
        due = max(due + settings.interval, time.monotonic())


def run(endpoint, settings):
    settings.run = os.urandom(4).hex()
    log = Log(settings.log)
    log.write(run=settings.run, server=f'https://{endpoint.authority}',
              interval=settings.interval, deadline=settings.deadline)
    ended = threading.Event()
    signals = {signal.SIGTERM, signal.SIGINT}
    # Inherited by every thread: only the one that waits for them gets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    for end in lambda: signal.sigwait(signals), drain:
        threading.Thread(target=lambda end=end: (end(), ended.set()), daemon=True).start()
    for kind, action in ('read', read), ('write', write):
        threading.Thread(target=pace, args=(endpoint, log, settings, kind, action, ended)).start()


def drain():
    """Waits for the end of standard input."""
    while os.read(0, 1 << 16):
        pass


def lines(path):
    """The settings and the probes of a log that may still be growing."""
    with open(path, encoding='utf-8') as file:
        settings, *probes = [json.loads(line) for line in file if line.endswith('\n')]
    return settings, probes


def patiently(endpoint, method, path):
    """The answer of an API server that may be on its way back."""
    for last in range(TRIES - 1, -1, -1):
        try:
            status, body = endpoint.request(PATIENCE, method, path)
            expect(200, status, body)
            return json.loads(body)
        except Failed:
            if not last:
                raise
            time.sleep(1)


def listed(endpoint, run, **query):
    """The ConfigMaps of a run, chunk by chunk."""
    query = {'labelSelector': f'{LABEL}={run}', 'limit': CHUNK, **query}
    while True:
        answer = patiently(endpoint, 'GET', f'{NAMESPACE}/configmaps?{urllib.parse.urlencode(query)}')
        yield from (item['metadata']['name'] for item in answer['items'])
        query['continue'] = answer['metadata'].get('continue')
        if not query['continue']:
            return


def verify(endpoint, settings):
    # The log first: what it acknowledges now must be in the list afterwards.
    head, probes = lines(settings.log)
    there = set(listed(endpoint, head['run']))
    written = [line for line in probes if line['kind'] == 'write']
    acknowledged = [name(head['run'], line['n']) for line in written if line['reason'] is None]
    others = [name(head['run'], line['n']) for line in written if line['reason'] is not None]
    print(json.dumps({
        'acknowledged': len(acknowledged),
        'unacknowledged': len(there.intersection(others)),
        'lost': [missing for missing in acknowledged if missing not in there],
    }))


def delete(endpoint, settings):
    head, _ = lines(settings.log)
    query = urllib.parse.urlencode({'labelSelector': f'{LABEL}={head["run"]}', 'limit': CHUNK})
    while any(True for _ in listed(endpoint, head['run'], limit=1)):
        patiently(endpoint, 'DELETE', f'{NAMESPACE}/configmaps?{query}')


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kubeconfig', required=True)
    parser.add_argument('--log', required=True)
    parser.add_argument('--server', help='instead of the one in the kubeconfig')
    parser.add_argument('--interval', type=float, default=0.1)
    parser.add_argument('--deadline', type=float, default=1.0)
    parser.add_argument('--verify', action='store_true')
    parser.add_argument('--delete', action='store_true')
    settings = parser.parse_args()
    endpoint = Endpoint(settings.kubeconfig, settings.server)
    try:
        if settings.verify:
            verify(endpoint, settings)
        elif settings.delete:
            delete(endpoint, settings)
        else:
            run(endpoint, settings)
    except Failed as error:
        sys.exit(f'probe: {endpoint.authority}: {error}')


if __name__ == '__main__':
    main()
