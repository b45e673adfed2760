# shellcheck shell=bash
# Apache Kafka behind TLS: one listener with SASL, one that asks clients for a certificate. Certificates are for
# localhost and 127.0.0.1, from an authority of this server's own, in the folder KAFKA_SECURE_KEYS.

about="Apache Kafka, TLS, SASL PLAIN alice/alice-secret, SCRAM-SHA-512 bob/bob-secret, OAUTHBEARER"
ports=(main tls internal controller)

# shellcheck source=tests/servers/kafka/jars.sh
source "$files/kafka/jars.sh"

keys=$(cache_folder kafka-keys "$files/kafka-secure.sh")

# An authority, and a server and a client certificate that it signed, each as PEM (key and chain) and PKCS#12.
make_keys() { # FOLDER
    local name new=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    openssl req -x509 "${new[@]}" -days 3650 -subj "/CN=Towpath test authority" -keyout "$1/ca.key" -out "$1/ca.pem"
    echo "subjectAltName=DNS:localhost,IP:127.0.0.1" >"$1/extensions"
    for name in server client; do
        openssl req "${new[@]}" -subj "/CN=$name" -keyout "$1/$name.key" -out "$1/$name.csr"
        openssl x509 -req -in "$1/$name.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 3650 \
            -extfile "$1/extensions" -out "$1/$name.crt"
        openssl pkcs12 -export -inkey "$1/$name.key" -in "$1/$name.crt" -certfile "$1/ca.pem" -passout pass:secret \
            -out "$1/$name.p12"
        cat "$1/$name.key" "$1/$name.crt" >"$1/$name.pem"
    done
}

write_configuration() {
    local jaas=org.apache.kafka.common.security
    cat >"$dir/broker.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$(port controller)
controller.listener.names=CONTROLLER
inter.broker.listener.name=INTERNAL
listeners=SASL_SSL://127.0.0.1:$(port main),SSL://127.0.0.1:$(port tls),INTERNAL://127.0.0.1:$(port internal),CONTROLLER://127.0.0.1:$(port controller)
advertised.listeners=SASL_SSL://localhost:$(port main),SSL://localhost:$(port tls),INTERNAL://127.0.0.1:$(port internal)
listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
ssl.keystore.type=PKCS12
ssl.keystore.location=$keys/server.p12
ssl.keystore.password=secret
ssl.truststore.type=PEM
ssl.truststore.location=$keys/ca.pem
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.plain.sasl.jaas.config=$jaas.plain.PlainLoginModule required user_alice="alice-secret";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=$jaas.scram.ScramLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=$jaas.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
log.dirs=$data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
END
}

prepare() {
    local command storage id
    need_command openssl openssl
    build_once "$keys" make_keys
    write_configuration
    kafka_java
    storage=("${command[@]}" kafka.tools.StorageTool)
    id=$("${storage[@]}" random-uuid 2>/dev/null | tail -n 1)
    "${storage[@]}" format --standalone -t "$id" -c "$dir/broker.properties" \
        --add-scram 'SCRAM-SHA-512=[name=bob,password=bob-secret]'
}

launch() {
    write_configuration
    kafka_java -Xms128m -Xmx512m -XX:+UseSerialGC
    command+=(kafka.Kafka "$dir/broker.properties")
}

ready() { tail -c "+$log_start" "$log" | grep -q 'Kafka Server started'; }

addresses() {
    cat <<END
KAFKA_SECURE_SASL=localhost:$(port main)
KAFKA_SECURE_TLS=localhost:$(port tls)
KAFKA_SECURE_KEYS=$keys
END
}
