#!/usr/bin/env python3
"""A toy store to try adapters on: registers over HTTP, copied to the other nodes now and then.

    toy_server.py HOST:PORT PEER,PEER,…

GET /kv/KEY -> {"value": …} or 404; PUT /kv/KEY with a JSON value -> 204; GET /local/KEY the same as GET. Every write is
sent on to the other nodes 50 ms later, and the last one that arrives wins: so it is neither causal nor convergent.
"""
import http.server
import json
import sys
import threading
import urllib.request

values = {}
host, port = sys.argv[1].rsplit(':', 1)
others = [peer for peer in sys.argv[2].split(',') if peer and peer != sys.argv[1]] if len(sys.argv) > 2 else []


def send_on(peer, key, body):
    request = urllib.request.Request(f'http://{peer}/copy/{key}', data=body, method='PUT')
    try:
        urllib.request.urlopen(request, timeout=1).close()
    except OSError:
        pass  # it is lost: this is a toy


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self, status, body=b''):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        key = self.path.rsplit('/', 1)[1]
        if self.path == '/health':
            self.answer(200, b'"fine"')
        elif key in values:
            self.answer(200, json.dumps({'value': values[key]}).encode())
        else:
            self.answer(404)

    def do_PUT(self):
        kind, key = self.path.split('/')[1:3]
        body = self.rfile.read(int(self.headers['Content-Length']))
        values[key] = json.loads(body)
        if kind == 'kv':
            for peer in others:
                threading.Timer(0.05, send_on, (peer, key, body)).start()
        self.answer(204)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a client that went away is no news


Server((host, int(port)), Handler).serve_forever()
