#!/bin/sh
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
