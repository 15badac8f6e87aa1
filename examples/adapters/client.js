#!/usr/bin/env node
// A client plugin: one process for each session, JSON lines in and out (docs/ADAPTERS.md). It speaks
// HTTP as many key-value stores do (GET and PUT /kv/KEY): change perform() to what your store wants.
const readline = require('readline');
let nodes = [];

async function perform(op) {
  const url = `http://${nodes[op.node - 1]}/kv/${encodeURIComponent(op.key)}`;
  const signal = AbortSignal.timeout(op.timeout_ms);
  try {
    if (op.f === 'read') {
      const answer = await fetch(url, { signal });
      if (answer.status === 404) return { type: 'ok', value: null };
      if (!answer.ok) return { type: 'info', error: `http-${answer.status}` };
      return { type: 'ok', value: (await answer.json()).value };
    }
    if (op.f === 'write') {
      const answer = await fetch(url, { method: 'PUT', body: JSON.stringify(op.value), signal });
      return answer.ok ? { type: 'ok' } : { type: 'info', error: `http-${answer.status}` };
    }
    return { type: 'fail', error: 'unsupported' };
  } catch (error) {
    // Only a refused connection proves that nothing was sent.
    const refused = error.cause && error.cause.code === 'ECONNREFUSED';
    return { type: refused ? 'fail' : 'info', error: String(error.cause || error) };
  }
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const message = JSON.parse(line);
  const answer = message.type === 'hello'
    ? { type: 'hello', protocol: 1, name: 'my store', functions: ['read', 'write'], local: true }
    : { id: message.id, ...(await perform(message)) };
  if (message.type === 'hello') nodes = message.nodes;
  process.stdout.write(JSON.stringify(answer) + '\n');
});
