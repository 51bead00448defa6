#!/usr/bin/env python3
"""The little of an API server that probe.py uses, for tests of it: ConfigMaps of one namespace in
memory, on TLS with client certificates.

    stand_in.py ADDRESS PORT CERTIFICATE KEY AUTHORITY
"""

import http.server
import json
import ssl
import sys
import urllib.parse

NAMESPACE = '/api/v1/namespaces/default'
labels = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def query(self):
        url = urllib.parse.urlsplit(self.path)
        return url.path, dict(urllib.parse.parse_qsl(url.query))

    def selected(self, query):
        names = sorted(name for name in labels if labels[name] == query['labelSelector'])
        begin = int(query.get('continue', 0))
        end = begin + int(query['limit'])
        return names[begin:end], str(end) if end < len(names) else None

    def do_GET(self):
        path, query = self.query()
        if path == NAMESPACE:
            return self.answer(200, {'kind': 'Namespace'})
        names, rest = self.selected(query)
        items = [{'metadata': {'name': name}} for name in names]
        self.answer(200, {'items': items, 'metadata': {'continue': rest} if rest else {}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        [(key, value)] = body['metadata']['labels'].items()
        labels[body['metadata']['name']] = f'{key}={value}'
        self.answer(201, body)

    def do_DELETE(self):
        names, _ = self.selected(self.query()[1])
        for name in names:
            del labels[name]
        self.answer(200, {'kind': 'Status'})


address, port, certificate, key, authority = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
context.load_verify_locations(authority)
context.verify_mode = ssl.CERT_REQUIRED
server = http.server.ThreadingHTTPServer((address, int(port)), Handler)
server.socket = context.wrap_socket(server.socket, True, do_handshake_on_connect=False)
server.serve_forever()
