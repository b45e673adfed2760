# shellcheck shell=bash
# OpenSearch from its own jars, started by OsNode.java; for opensearch.sh and opensearch-secure.sh.

opensearch_home=$(cache_folder opensearch "$files"/opensearch/{pom.xml,OsNode.java,log4j2.properties})

fetch() {
    need_command mvn maven
    need_command curl curl ca-certificates
    need_jdk 21 >/dev/null
    build_once "$opensearch_home" opensearch_node
}

# The classes are made for the oldest JDK that may run them, whichever is here today.
opensearch_node() { # FOLDER
    maven_jars "$files/opensearch/pom.xml" "$1"
    "$(need_jdk 21)/bin/javac" -nowarn --release 21 -d "$1/classes" -cp "$1/lib/*" "$files/opensearch/OsNode.java"
    cp "$files/opensearch/log4j2.properties" "$1/classes/"
}

# Sets `command`. The flags for the JVM spare a second of each start.
opensearch_launch() { # OSNODE_ARG...
    command=(
        "$(need_jdk 21)/bin/java" -Xms512m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
        --enable-native-access=ALL-UNNAMED -cp "$opensearch_home/classes:$opensearch_home/lib/*"
        OsNode --home "$data" --http-port "$(port main)" "$@"
    )
}

readonly health_path='_cluster/health?wait_for_status=yellow&timeout=1s'
