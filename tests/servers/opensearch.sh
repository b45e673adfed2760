# shellcheck shell=bash
# OpenSearch, one node, open to everybody on this machine.

about="OpenSearch, one node"

# shellcheck source=tests/servers/opensearch/node.sh
source "$files/opensearch/node.sh"

# shellcheck disable=SC2119 # a plain node takes no further arguments
launch() { opensearch_launch; }

ready() { curl -sf "http://127.0.0.1:$(port main)/$health_path"; }

addresses() { echo "OPENSEARCH_URL=http://127.0.0.1:$(port main)"; }

tool() { # PATH CURL_ARG...
    exec curl -sS "http://127.0.0.1:$(port main)/${1#/}" "${@:2}"
}
