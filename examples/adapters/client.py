#!/usr/bin/env python3
"""A client plugin: one process for each session, JSON lines in and out (docs/ADAPTERS.md).

It speaks HTTP as many key-value stores do (GET and PUT /kv/KEY): change ask() and perform() to what your store wants.
"""
import json
import sys
import urllib.error
import urllib.request

nodes = []


def ask(node, method, path, body, timeout):
    request = urllib.request.Request(f'http://{nodes[node - 1]}{path}', data=body, method=method)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.read()


def perform(op):
    """What the operation came to: ok, fail (it surely did not happen) or info (nobody knows)."""
    timeout = op['timeout_ms'] / 1000
    try:
        if op['f'] == 'read':
            body = ask(op['node'], 'GET', f'/kv/{op["key"]}', None, timeout)
            return {'type': 'ok', 'value': json.loads(body)['value']}
        if op['f'] == 'write':
            ask(op['node'], 'PUT', f'/kv/{op["key"]}', json.dumps(op['value']).encode(), timeout)
            return {'type': 'ok'}
        return {'type': 'fail', 'error': 'unsupported'}
    except urllib.error.HTTPError as error:
        if error.code == 404 and op['f'] == 'read':
            return {'type': 'ok', 'value': None}
        return {'type': 'info', 'error': f'http-{error.code}'}
    except urllib.error.URLError as error:
        refused = isinstance(error.reason, ConnectionRefusedError)
        return {'type': 'fail' if refused else 'info', 'error': str(error.reason)}
    except (OSError, ValueError) as error:
        return {'type': 'info', 'error': str(error)}


for line in sys.stdin:
    try:
        message = json.loads(line)
    except ValueError:
        print(json.dumps({'type': 'info', 'error': 'that is no JSON'}), flush=True)
        continue
    if message['type'] == 'hello':
        nodes = message['nodes']
        print(json.dumps({'type': 'hello', 'protocol': 1, 'name': 'my store', 'functions': ['read', 'write'],
                          'local': True}), flush=True)
    else:
        print(json.dumps({'id': message['id'], **perform(message)}), flush=True)
