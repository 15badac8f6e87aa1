// The texts stand here as files would: what `adapter new` writes works with a store that answers GET
// and PUT of /kv/KEY, and is meant to be changed.
#include "harness/cli/adapter_templates.h"

#include <array>

namespace consistory {
namespace {

constexpr std::string_view kPython = R"PLUGIN(#!/usr/bin/env python3
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
)PLUGIN";

constexpr std::string_view kCpp = R"PLUGIN(// A client plugin: one process for each session, JSON lines in and out (docs/ADAPTERS.md). It speaks
// HTTP as many key-value stores do (GET and PUT /kv/KEY): change ask() and perform() to what your
// store wants.
#include <curl/curl.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

using Json = nlohmann::json;

namespace {

std::size_t collect(char* data, std::size_t size, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

struct Answer {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::string body;
};

/// A fresh handle for every request: no connection is reused, so libcurl has no reason to repeat one.
Answer ask(const std::string& url, const std::string* body, long timeout_ms) {
  Answer answer;
  CURL* easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
  if (body != nullptr) {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body->c_str());
  }
  answer.code = curl_easy_perform(easy);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_cleanup(easy);
  return answer;
}

/// ok, fail (it surely did not happen) or info (nobody knows).
Json perform(const Json& op, const Json& nodes) {
  const std::size_t node = op.at("node").get<std::size_t>() - 1;
  const std::string url =
      "http://" + nodes.at(node).get<std::string>() + "/kv/" + op.at("key").get<std::string>();
  const bool reads = op.at("f") == "read";
  if (!reads && op.at("f") != "write") return {{"type", "fail"}, {"error", "unsupported"}};
  const std::string value = reads ? "" : op.at("value").dump();
  const Answer answer = ask(url, reads ? nullptr : &value, op.at("timeout_ms").get<long>());
  if (answer.code == CURLE_COULDNT_CONNECT) return {{"type", "fail"}, {"error", "refused"}};
  if (answer.code != CURLE_OK) return {{"type", "info"}, {"error", curl_easy_strerror(answer.code)}};
  if (reads && answer.status == 404) return {{"type", "ok"}, {"value", nullptr}};
  if (answer.status >= 300) return {{"type", "info"}, {"error", "http-" + std::to_string(answer.status)}};
  Json result{{"type", "ok"}};
  if (reads) result["value"] = Json::parse(answer.body).at("value");
  return result;
}

}  // namespace

int main() {
  curl_global_init(CURL_GLOBAL_ALL);
  Json nodes = Json::array();
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      const Json message = Json::parse(line);
      if (message.at("type") == "hello") {
        nodes = message.at("nodes");
        answer = {{"type", "hello"},
                  {"protocol", 1},
                  {"name", "my store"},
                  {"functions", {"read", "write"}},
                  {"local", true}};
      } else {
        answer = perform(message, nodes);
        answer["id"] = message.at("id");
      }
    } catch (const Json::exception& error) {
      answer = {{"type", "info"}, {"error", error.what()}};
    }
    std::cout << answer.dump() << std::endl;  // which flushes
  }
}
)PLUGIN";

constexpr std::string_view kShell = R"PLUGIN(#!/bin/sh
# A client plugin: one process for each session, JSON lines in and out (docs/ADAPTERS.md). Needs jq and
# curl. It speaks HTTP as many key-value stores do (GET and PUT /kv/KEY): change ask() to what your store
# wants.
while IFS= read -r line; do
  field() { printf '%s' "$line" | jq -c "$1"; }
  if [ "$(field .type)" = '"hello"' ]; then
    nodes=$(field .nodes)
    echo '{"type":"hello","protocol":1,"name":"my store","functions":["read","write"],"local":true}'
    continue
  fi
  id=$(field .id) node=$(field .node) seconds=$(field '.timeout_ms / 1000')
  url="http://$(printf '%s' "$nodes" | jq -r ".[$node - 1]")/kv/$(printf '%s' "$line" | jq -r .key)"
  case $(field .f) in
    '"read"') answer=$(curl -s -m "$seconds" -w '\n%{http_code}' "$url") ;;
    '"write"') answer=$(field .value | curl -s -m "$seconds" -w '\n%{http_code}' -X PUT --data-binary @- "$url") ;;
    *) echo "{\"id\":$id,\"type\":\"fail\",\"error\":\"unsupported\"}"; continue ;;
  esac
  code=$? status=${answer##*
} body=${answer%
*}
  case $code:$status in
    7:*) echo "{\"id\":$id,\"type\":\"fail\",\"error\":\"refused\"}" ;;
    0:404) echo "{\"id\":$id,\"type\":\"ok\",\"value\":null}" ;;
    0:2*) [ "$(field .f)" = '"read"' ] && value=$(printf '%s' "$body" | jq -c .value) || value=null
          printf '{"id":%s,"type":"ok","value":%s}\n' "$id" "$value" ;;
    *) echo "{\"id\":$id,\"type\":\"info\",\"error\":\"curl-$code-http-$status\"}" ;;
  esac
done
)PLUGIN";

constexpr std::string_view kNode = R"PLUGIN(#!/usr/bin/env node
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
)PLUGIN";

constexpr std::array<AdapterTemplate, 4> kTemplates = {{
    {"python", ".py", "Python 3, its standard library", kPython,
     "Change ask() and perform(), then\n"
     "  ./consistory adapter check --adapter 'python3 {0}' --endpoint HOST:PORT\n"
     "  ./consistory run --adapter 'python3 {0}' --endpoint HOST:PORT --endpoint HOST:PORT"},
    {"cpp", ".cpp", "C++20 with libcurl and nlohmann/json", kCpp,
     "Change ask() and perform(), then\n"
     "  c++ -std=c++20 -O2 {0} -lcurl -o client\n"
     "  ./consistory adapter check --adapter ./client --endpoint HOST:PORT\n"
     "  ./consistory run --adapter ./client --endpoint HOST:PORT --endpoint HOST:PORT"},
    {"sh", ".sh", "a POSIX shell with jq and curl", kShell,
     "Change what it asks, then\n"
     "  ./consistory adapter check --adapter 'sh {0}' --endpoint HOST:PORT\n"
     "  ./consistory run --adapter 'sh {0}' --endpoint HOST:PORT --endpoint HOST:PORT"},
    {"node", ".js", "Node.js 18 or newer", kNode,
     "Change perform(), then\n"
     "  ./consistory adapter check --adapter 'node {0}' --endpoint HOST:PORT\n"
     "  ./consistory run --adapter 'node {0}' --endpoint HOST:PORT --endpoint HOST:PORT"},
}};

}  // namespace

std::span<const AdapterTemplate> adapter_templates() { return kTemplates; }

}  // namespace consistory
