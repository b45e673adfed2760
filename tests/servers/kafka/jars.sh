# shellcheck shell=bash
# The jars of Apache Kafka, and how a program in them is run; for kafka.sh and connect.sh.

kafka_home=$(cache_folder kafka "$files/kafka/pom.xml")

fetch() {
    need_command mvn maven
    need_jdk 17 >/dev/null
    build_once "$kafka_home" kafka_jars
}

kafka_jars() { maven_jars "$files/kafka/pom.xml" "$1"; } # FOLDER

# Sets `command` to the start of a command line; the class and its arguments follow.
kafka_java() { # JVM_OPTION...
    command=(
        "$(need_jdk 17)/bin/java" "$@" -cp "$kafka_home/lib/*"
        "-Dlog4j2.configurationFile=$files/kafka/log4j2.properties"
    )
}
