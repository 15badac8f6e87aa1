#!/usr/bin/env python3
"""A Maelstrom node for the workloads g-set, broadcast, g-counter: every node has a state of its own and tells the others
all of it ten times a second. With the argument `once` it tells each thing once only, which partitions lose."""
import json
import sys
import threading

ONCE = 'once' in sys.argv[1:]
me, others, elements, sums = '', [], set(), {}
lock = threading.Lock()


def send(dest, body):
    print(json.dumps({'src': me, 'dest': dest, 'body': body}), flush=True)


def tell(some):
    for node in others:
        send(node, {'type': 'state', 'elements': sorted(some), 'sums': sums})


def keep_telling():
    while not timer.wait(0.1):
        with lock:
            tell(elements)


def act(body):
    if body['type'] in ('add', 'broadcast'):
        if 'delta' in body:
            sums[me] = sums.get(me, 0) + body['delta']
        else:
            elements.add(body.get('element', body.get('message')))
        return {}
    if body['type'] == 'read':
        return {'value': sum(sums.values()) if sums else sorted(elements), 'messages': sorted(elements)}
    return {}  # the topology: everybody is told


timer = threading.Event()
for line in sys.stdin:
    message = json.loads(line)
    body = message['body']
    with lock:
        if body['type'] == 'init':
            me, others = body['node_id'], [node for node in body['node_ids'] if node != body['node_id']]
        if body['type'] == 'state':
            elements |= set(body['elements'])
            for node, total in body['sums'].items():
                sums[node] = max(total, sums.get(node, 0))
        else:
            send(message['src'], {'type': body['type'] + '_ok', 'in_reply_to': body['msg_id'], **act(body)})
        if ONCE and body['type'] in ('add', 'broadcast'):
            tell([body[name] for name in ('element', 'message') if name in body])
    if body['type'] == 'init' and not ONCE:
        threading.Thread(target=keep_telling, daemon=True).start()
