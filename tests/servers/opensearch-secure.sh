# shellcheck shell=bash
# OpenSearch behind TLS and basic authentication. The certificate is for localhost and 127.0.0.1, from an authority of
# this server's own: OPENSEARCH_SECURE_CA is that authority's certificate.

about="OpenSearch, TLS, admin/secret"

# shellcheck source=tests/servers/opensearch/node.sh
source "$files/opensearch/node.sh"

keys=$(cache_folder opensearch-keys "$files/opensearch-secure.sh")

# Kept beside the jars: making them takes longer than starting the server.
prepare() { build_once "$keys" make_keys; }

# An authority and a certificate that it signed, as a real server would have.
make_keys() { # FOLDER
    local keytool ca server days=(-validity 3650)
    keytool="$(need_jdk 21)/bin/keytool"
    ca=(-keystore "$1/ca.p12" -storepass secret -alias ca)
    server=(-keystore "$1/server.p12" -storepass secret -alias server)
    "$keytool" -genkeypair "${ca[@]}" "${days[@]}" -keyalg EC -groupname secp256r1 -dname "CN=Towpath test authority" \
        -ext bc:c -ext ku:c=keyCertSign
    "$keytool" -genkeypair "${server[@]}" "${days[@]}" -keyalg EC -groupname secp256r1 -dname CN=localhost
    "$keytool" -exportcert -rfc "${ca[@]}" >"$1/ca.pem"
    "$keytool" -certreq "${server[@]}" |
        "$keytool" -gencert -rfc "${ca[@]}" "${days[@]}" -ext san=dns:localhost,ip:127.0.0.1 >"$1/server.pem"
    "$keytool" -importcert -noprompt -keystore "$1/server.p12" -storepass secret -alias ca -file "$1/ca.pem"
    "$keytool" -importcert -noprompt "${server[@]}" -file "$1/server.pem"
}

launch() { opensearch_launch --user admin --password secret --keystore "$keys/server.p12" --storepass secret; }

get() { # PATH CURL_ARG...
    curl -sS --cacert "$keys/ca.pem" -u admin:secret "https://127.0.0.1:$(port main)/${1#/}" "${@:2}"
}

ready() { get "$health_path" --fail; }

addresses() {
    cat <<END
OPENSEARCH_SECURE_URL=https://127.0.0.1:$(port main)
OPENSEARCH_SECURE_USER=admin
OPENSEARCH_SECURE_PASSWORD=secret
OPENSEARCH_SECURE_CA=$keys/ca.pem
END
}

tool() { get "$@"; } # PATH CURL_ARG...
