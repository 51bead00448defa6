#!/usr/bin/env python3
"""What users of a cluster do, each ten times a second, and logs how each went.

Of the API, through the endpoint: reads and writes, every one on a new connection.

    probe.py --log FILE --kubeconfig admin.conf [--server URL]
    probe.py --log FILE --kubeconfig admin.conf [--server URL] --verify
    probe.py --log FILE --kubeconfig admin.conf [--server URL] --delete

In the network of a pod: a name is resolved, and a service reached.

    probe.py --log FILE --resolver ADDRESS --name NAME --service URL

Both take [--interval S] [--deadline S], and run until standard input ends, SIGTERM or SIGINT, so
that they never outlive what started them. A read fetches a namespace, which an API server answers
from etcd by quorum. A write creates a ConfigMap with a name of its own, so whether an acknowledged
write was lost can be decided later. A name is asked for once, by UDP from a port of its own, so that
a lost answer is seen that a resolver's next try would hide. A probe without a whole, successful
answer when its deadline is over has failed.

The first line of the log says the settings; every other line is one probe:
{"kind": "read", "n": 7, "start": seconds since boot, "wall": Unix time, "latency": seconds,
 "reason": null, or what went wrong}

--verify prints {"acknowledged": N, "unacknowledged": N, "lost": [names]}: of the log's writes so
far, how many were acknowledged, how many of the others are there all the same, and which of the
acknowledged are gone. --delete removes what the log's run wrote.
"""

import argparse
import base64
import contextlib
import json
import os
import signal
import socket
import ssl
import struct
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


class Server:
    """What answers at an URL, with or without TLS."""

    def __init__(self, url, context=None):
        url = urllib.parse.urlsplit(url)
        self.host, self.authority = url.hostname, url.netloc
        self.port = url.port or (443 if context else 80)
        self.context = context

    @classmethod
    def of_cluster(cls, kubeconfig, url):
        """An API server's address and the operator's credential."""
        with open(kubeconfig, encoding='utf-8') as file:
            config = yaml.safe_load(file)
        cluster, user = config['clusters'][0]['cluster'], config['users'][0]['user']
        trusted = base64.b64decode(cluster['certificate-authority-data']).decode()
        context = ssl.create_default_context(cadata=trusted)
        # The library takes a certificate and its key from files only.
        with tempfile.NamedTemporaryFile() as file:
            for field in 'client-certificate-data', 'client-key-data':
                file.write(base64.b64decode(user[field]) + b'\n')
            file.flush()
            context.load_cert_chain(file.name)
        return cls(url or cluster['server'], context)

    def secured(self, plain):
        if not self.context:
            return contextlib.nullcontext(plain)
        return self.context.wrap_socket(plain, server_hostname=self.host)

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
                with self.secured(plain) as stream:
                    phase = 'answer'
                    # HTTP/1.0: the answer ends where the connection does.
                    head = [f'{method} {path} HTTP/1.0', f'Host: {self.authority}',
                            'Accept: application/json', 'User-Agent: hagen-probe']
                    data = json.dumps(body).encode() if body is not None else b''
                    if data:
                        head += ['Content-Type: application/json', f'Content-Length: {len(data)}']
                    stream.settimeout(left())
                    stream.sendall('\r\n'.join([*head, '', '']).encode() + data)
                    answer = bytearray()
                    while True:
                        stream.settimeout(left())
                        part = stream.recv(1 << 16)
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


class Resolver:
    """A name server, and the name that it is asked for."""

    def __init__(self, address, name):
        self.address = address
        labels = [label.encode() for label in name.rstrip('.').split('.')]
        # An address (1) of the internet (1): RFC 1035, 4.1.2.
        self.question = b''.join(bytes([len(label)]) + label for label in [*labels, b'']) + \
            struct.pack('>HH', 1, 1)

    def ask(self, patience):
        """Asks once."""
        number = int.from_bytes(os.urandom(2), 'big')
        deadline = time.monotonic() + patience
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
                plain.connect((self.address, 53))
                # One question, recursion desired: RFC 1035, 4.1.1.
                plain.send(struct.pack('>6H', number, 0x0100, 1, 0, 0, 0) + self.question)
                while True:
                    plain.settimeout(max(deadline - time.monotonic(), 0.001))
                    answer = plain.recv(4096)
                    if len(answer) >= 12 and answer[:2] == number.to_bytes(2, 'big'):
                        break
        except TimeoutError:
            raise Failed('answer: deadline') from None
        except OSError as error:
            raise Failed(f'answer: {os.strerror(error.errno)}') from None
        _, flags, _, answers, _, _ = struct.unpack('>6H', answer[:12])
        if flags & 0xf or not answers:
            raise Failed(f'rcode {flags & 0xf}, {answers} answers')


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


def resolve(resolver, patience, _run, _n):
    resolver.ask(patience)


def reach(service, patience, _run, _n):
    expect(200, *service.request(patience, 'GET', '/'))


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


def probe(target, log, settings, kind, action, n, room):
    """One probe, in a thread of its own."""
    start, wall, reason = now(), time.time(), None
    try:
        action(target, settings.deadline, settings.run, n)
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


def pace(target, log, settings, kind, action, ended):
    """Starts a probe each interval. One that hangs delays no other; the deadline bounds them."""
    room = threading.BoundedSemaphore(int(2 * settings.deadline / settings.interval) + 2)
    due, n = time.monotonic(), 0
    while not ended.wait(max(0, due - time.monotonic())):
        room.acquire()
        arguments = target, log, settings, kind, action, n, room
        threading.Thread(target=probe, args=arguments).start()
        n += 1
        # A host too busy to start one in time gets fewer, never a burst.
        due = max(due + settings.interval, time.monotonic())


def run(settings, kinds):
    """Probes until it is ended: each kind's name, what it asks, and how."""
    settings.run = os.urandom(4).hex()
    log = Log(settings.log)
    log.write(run=settings.run, kinds=[kind for kind, _, _ in kinds],
              interval=settings.interval, deadline=settings.deadline)
    ended = threading.Event()
    signals = {signal.SIGTERM, signal.SIGINT}
    # Inherited by every thread: only the one that waits for them gets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    for end in lambda: signal.sigwait(signals), drain:
        threading.Thread(target=lambda end=end: (end(), ended.set()), daemon=True).start()
    for kind, target, action in kinds:
        threading.Thread(target=pace, args=(target, log, settings, kind, action, ended)).start()


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
    parser.add_argument('--log', required=True)
    parser.add_argument('--kubeconfig')
    parser.add_argument('--server', help='instead of the one in the kubeconfig')
    parser.add_argument('--resolver', help='of the pods')
    parser.add_argument('--name')
    parser.add_argument('--service', help='its URL')
    parser.add_argument('--interval', type=float, default=0.1)
    parser.add_argument('--deadline', type=float, default=1.0)
    parser.add_argument('--verify', action='store_true')
    parser.add_argument('--delete', action='store_true')
    settings = parser.parse_args()
    if settings.resolver:
        resolver, service = Resolver(settings.resolver, settings.name), Server(settings.service)
        run(settings, [('name', resolver, resolve), ('service', service, reach)])
        return
    endpoint = Server.of_cluster(settings.kubeconfig, settings.server)
    try:
        if settings.verify:
            verify(endpoint, settings)
        elif settings.delete:
            delete(endpoint, settings)
        else:
            run(settings, [('read', endpoint, read), ('write', endpoint, write)])
    except Failed as error:
        sys.exit(f'probe: {endpoint.authority}: {error}')


if __name__ == '__main__':
    main()
