# shellcheck shell=bash
# The Java Kafka Connect runtime, one distributed worker: what Towpath is compared with. Its jars come with Kafka's.
# Further connectors can be put into the folder that CONNECT_PLUGINS names, before a restart.

about="Kafka Connect (Java), distributed"
needs=(kafka)

# shellcheck source=tests/servers/kafka/jars.sh
source "$files/kafka/jars.sh"

prepare() { mkdir -p "$data/plugins"; }

launch() {
    cat >"$dir/connect.properties" <<END
bootstrap.servers=127.0.0.1:$(cat "$TOWPATH_SERVICES_DIR/kafka/port.main")
group.id=java-connect
listeners=http://127.0.0.1:$(port main)
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
config.storage.topic=java-connect-configs
config.storage.replication.factor=1
offset.storage.topic=java-connect-offsets
offset.storage.replication.factor=1
offset.storage.partitions=5
status.storage.topic=java-connect-status
status.storage.replication.factor=1
status.storage.partitions=5
plugin.path=$data/plugins
plugin.discovery=hybrid_warn
connector.client.config.override.policy=All
END
    kafka_java -Xms256m -Xmx2g -XX:+UseG1GC
    command+=(org.apache.kafka.connect.cli.ConnectDistributed "$dir/connect.properties")
}

ready() { curl -sf "http://127.0.0.1:$(port main)/connectors"; }

addresses() {
    echo "CONNECT_URL=http://127.0.0.1:$(port main)"
    echo "CONNECT_PLUGINS=$data/plugins"
}

tool() { # PATH CURL_ARG...
    exec curl -sS "http://127.0.0.1:$(port main)/${1#/}" "${@:2}"
}
