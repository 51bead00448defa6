#!/usr/bin/env python3
"""A site's mirror of packages, archives and images: the files of a folder, over http.

    mirror.py ADDRESS FOLDER
"""

import functools
import http.server
import json
import sys


class Mirror(http.server.SimpleHTTPRequestHandler):
    def guess_type(self, path):
        """A registry says of a manifest which kind it is, and clients go by that."""
        if '/manifests/' not in path:
            return super().guess_type(path)
        with open(path, encoding='utf-8') as file:
            return json.load(file)['mediaType']


address, folder = sys.argv[1:]
handler = functools.partial(Mirror, directory=folder)
http.server.ThreadingHTTPServer((address, 80), handler).serve_forever()
