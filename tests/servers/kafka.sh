# shellcheck shell=bash
# Apache Kafka, one KRaft node that is broker and controller. From the jars that its makers publish; kafka/pom.xml has
# the version.

about="Apache Kafka, KRaft, one node"
ports=(main controller)
# Tests that give it a network of its own say where it listens there, and what else is in its configuration.
host=${TOWPATH_KAFKA_HOST:-127.0.0.1}

# shellcheck source=tests/servers/kafka/jars.sh
source "$files/kafka/jars.sh"

write_configuration() {
    cat >"$dir/broker.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=$host:$(port controller)
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://$host:$(port main),CONTROLLER://$host:$(port controller)
advertised.listeners=PLAINTEXT://$host:$(port main)
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
${TOWPATH_KAFKA_CONFIGURATION:-}
END
}

prepare() {
    local command storage id
    write_configuration
    kafka_java
    storage=("${command[@]}" kafka.tools.StorageTool)
    id=$("${storage[@]}" random-uuid 2>/dev/null | tail -n 1)
    "${storage[@]}" format --standalone -t "$id" -c "$dir/broker.properties"
}

launch() {
    write_configuration
    kafka_java -Xms256m -Xmx1g -XX:+UseG1GC
    command+=(kafka.Kafka "$dir/broker.properties")
}

# The broker says so once it takes requests; its port is open earlier.
ready() {
    tail -c "+$log_start" "$log" | grep -q 'Kafka Server started'
}

addresses() { echo "KAFKA_BOOTSTRAP=$host:$(port main)"; }

# A class may be named in full. The broker's address is added where the caller names none.
tool() { # CLASS ARG...
    local class=${1:?name a tool, for example TopicCommand} command
    shift
    case $class in
        *.*) ;;
        ConsoleConsumer) class=org.apache.kafka.tools.consumer.$class ;;
        ConsumerGroupCommand) class=org.apache.kafka.tools.consumer.group.$class ;;
        ConfigCommand) class=kafka.admin.$class ;;
        *) class=org.apache.kafka.tools.$class ;;
    esac
    if [[ " $* " != *" --bootstrap-server "* ]]; then set -- --bootstrap-server "$host:$(port main)" "$@"; fi
    kafka_java
    exec "${command[@]}" "$class" "$@"
}
