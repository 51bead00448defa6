#!/usr/bin/env python3
"""A site's mirror of packages, archives and images: the files of a folder, over http. It tells the
time as well.

    mirror.py ADDRESS FOLDER
"""

import functools
import http.server
import json
import socketserver
import struct
import sys
import threading
import time

# From the year 1900, from which NTP counts, to 1970.
SINCE_1900 = 2208988800


class Mirror(http.server.SimpleHTTPRequestHandler):
    def guess_type(self, path):
        """A registry says of a manifest which kind it is, and clients go by that."""
        if '/manifests/' not in path:
            return super().guess_type(path)
        with open(path, encoding='utf-8') as file:
            return json.load(file)['mediaType']


class Clock(socketserver.BaseRequestHandler):
    def handle(self):
        """Answers a client: RFC 5905, 7.3."""
        question, socket = self.request
        received = self.stamp()
        if len(question) < 48:
            return
        # The version that was asked for, as a server (4) with a clock of its own (stratum 1).
        head = struct.pack('>BBbb', question[0] & 0x38 | 4, 1, 0, -20)
        socket.sendto(head + bytes(8) + b'SITE' + received + question[40:48] + received + self.stamp(),
                      self.client_address)

    @staticmethod
    def stamp():
        seconds = time.time() + SINCE_1900
        return struct.pack('>II', int(seconds), int(seconds % 1 * 2**32))


address, folder = sys.argv[1:]
clock = socketserver.UDPServer((address, 123), Clock)
threading.Thread(target=clock.serve_forever, daemon=True).start()
handler = functools.partial(Mirror, directory=folder)
http.server.ThreadingHTTPServer((address, 80), handler).serve_forever()
