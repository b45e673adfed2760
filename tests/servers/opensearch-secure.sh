# shellcheck shell=bash
# OpenSearch behind TLS and basic authentication. The certificate is for localhost and 127.0.0.1, from an authority of
# this server's own: OPENSEARCH_SECURE_CA is that authority's certificate.

about="OpenSearch, TLS, admin/secret"

# shellcheck source=tests/servers/opensearch/node.sh
source "$files/opensearch/node.sh"

# An authority and a certificate that it signed, as a real server would have.
prepare() {
    local keytool ca server days=(-validity 3650)
    keytool="$(need_jdk 21)/bin/keytool"
    ca=(-keystore "$dir/ca.p12" -storepass secret -alias ca)
    server=(-keystore "$dir/server.p12" -storepass secret -alias server)
    rm -f "$dir"/{ca,server}.p12
    "$keytool" -genkeypair "${ca[@]}" "${days[@]}" -keyalg EC -groupname secp256r1 -dname "CN=Towpath test authority" \
        -ext bc:c -ext ku:c=keyCertSign
    "$keytool" -genkeypair "${server[@]}" "${days[@]}" -keyalg EC -groupname secp256r1 -dname CN=localhost
    "$keytool" -exportcert -rfc "${ca[@]}" >"$dir/ca.pem"
    "$keytool" -certreq "${server[@]}" |
        "$keytool" -gencert -rfc "${ca[@]}" "${days[@]}" -ext san=dns:localhost,ip:127.0.0.1 >"$dir/server.pem"
    "$keytool" -importcert -noprompt -keystore "$dir/server.p12" -storepass secret -alias ca -file "$dir/ca.pem"
    "$keytool" -importcert -noprompt "${server[@]}" -file "$dir/server.pem"
}

launch() { opensearch_launch --user admin --password secret --keystore "$dir/server.p12" --storepass secret; }

get() { # PATH CURL_ARG...
    curl -sS --cacert "$dir/ca.pem" -u admin:secret "https://127.0.0.1:$(port main)/${1#/}" "${@:2}"
}

ready() { get "$health_path" --fail; }

addresses() {
    cat <<END
OPENSEARCH_SECURE_URL=https://127.0.0.1:$(port main)
OPENSEARCH_SECURE_USER=admin
OPENSEARCH_SECURE_PASSWORD=secret
OPENSEARCH_SECURE_CA=$dir/ca.pem
END
}

tool() { get "$@"; } # PATH CURL_ARG...
