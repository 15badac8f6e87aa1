#!/usr/bin/env python3
"""A Maelstrom node for the workloads lin-kv and txn-list-append: n1 holds the registers, the others ask it. With the argument `lazy` every
node answers from what it has and tells the others later, which is not linearizable."""
import json
import sys

LAZY = 'lazy' in sys.argv[1:]
me, others, waiting, values, last = '', [], {}, {}, 0


def send(dest, body):
    print(json.dumps({'src': me, 'dest': dest, 'body': body}), flush=True)


def step(word, key, value):
    if word == 'append':
        values.setdefault(key, []).append(value)
        return [word, key, value]
    return [word, key, list(values.get(key, []))]


def decide(body):
    if body['type'] == 'txn':
        return {'type': 'txn_ok', 'txn': [step(*one) for one in body['txn']]}
    key = body['key']
    if body['type'] == 'write':
        values[key] = body['value']
        return {'type': 'write_ok'}
    if key not in values:
        return {'type': 'error', 'code': 20, 'text': 'no such key'}
    if body['type'] == 'read':
        return {'type': 'read_ok', 'value': values[key]}
    if values[key] != body['from']:
        return {'type': 'error', 'code': 22, 'text': 'another value'}
    values[key] = body['to']
    return {'type': 'cas_ok'}


for line in sys.stdin:
    message = json.loads(line)
    body, src = message['body'], message['src']
    if body['type'] == 'init':
        me, others = body['node_id'], [node for node in body['node_ids'] if node != body['node_id']]
        send(src, {'type': 'init_ok', 'in_reply_to': body['msg_id']})
    elif 'in_reply_to' in body:
        client, asked = waiting.pop(body['in_reply_to'], (None, None))
        if client:
            send(client, {**body, 'in_reply_to': asked})
    elif body['type'] == 'copy':
        values[body['key']] = body['value']
    elif LAZY or me == 'n1':
        send(src, {**decide(body), 'in_reply_to': body['msg_id']})
        if LAZY and body['type'] == 'write':
            for node in others:
                send(node, {'type': 'copy', 'key': body['key'], 'value': body['value']})
    else:
        last += 1
        waiting[last] = (src, body['msg_id'])
        send('n1', {**body, 'msg_id': last})
