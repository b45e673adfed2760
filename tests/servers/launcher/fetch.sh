# shellcheck shell=bash
# Where servers come from: Debian packages, Maven jars kept in the cache outside the checkout, and JDKs that are
# already on the machine.

is_root() { [[ $EUID -eq 0 ]]; }

# The packages are installed when we are root; otherwise the reader is told which they are. The list of packages is
# only refreshed when an install with the present one fails.
install_packages() { # PACKAGE...
    is_root || die "needs these Debian packages: apt-get install --no-install-recommends $*"
    command -v apt-get >/dev/null || die "needs the equivalent of these Debian packages: $*"
    local log="$TOWPATH_SERVICES_DIR/apt.log"
    (
        flock 8 # two apt-get at once would refuse each other
        export DEBIAN_FRONTEND=noninteractive
        local install=(apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@")
        say "installing $*"
        "${install[@]}" >>"$log" 2>&1 8>&- && exit 0
        apt-get update -q >>"$log" 2>&1 8>&- || die_with_log "apt-get update did not work" "$log"
        "${install[@]}" >>"$log" 2>&1 8>&- || die_with_log "could not install $*" "$log"
    ) 8>>"$TOWPATH_CACHE/apt.lock"
}

need_command() { # COMMAND PACKAGE...
    command -v "$1" >/dev/null || install_packages "${@:2}"
}

jdk_version() { # JAVA_HOME: its major version, if it is a whole JDK
    [[ -x $1/bin/java && -x $1/bin/javac && -r $1/release ]] || return 1
    local version
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
    [[ -n $version ]] && echo "$version"
}

# The oldest JDK on this machine that is new enough: it is the one that the servers' authors tested longest.
find_jdk() { # OLDEST_VERSION
    local home version best="" best_version=9999
    for home in "${JAVA_HOME:-/nonexistent}" /usr/lib/jvm/* /opt/*jdk* /opt/java/* "$HOME"/.sdkman/candidates/java/*; do
        version=$(jdk_version "$home") || continue
        if ((version >= $1 && version < best_version)); then
            best=$home best_version=$version
        fi
    done
    [[ -n $best ]] && echo "$best"
}

# Prints the home of a JDK of this version or newer; as root, Debian's own is installed when there is none.
need_jdk() { # OLDEST_VERSION
    local package
    find_jdk "$1" && return
    if is_root; then
        say "installing a JDK of version $1 or newer"
        for package in default-jdk-headless "openjdk-$1-jdk-headless"; do
            (install_packages "$package") 2>/dev/null || continue
            find_jdk "$1" && return
        done
    fi
    die "needs a JDK of version $1 or newer: install one under /usr/lib/jvm or set JAVA_HOME (found: $(
        find_jdk 1 || echo none
    ))"
}

# The cache folder for what is made out of these files; another content is another folder.
cache_folder() { # NAME FILE...
    local name=$1 sum
    shift
    sum=$(cat "$@" | sha256sum)
    echo "$TOWPATH_CACHE/$name-${sum:0:12}"
}

# Runs `BUILD FOLDER` once for this folder, whoever asks at the same time. What a build leaves half done is never seen.
build_once() { # FOLDER BUILD
    [[ -d $1 ]] && return
    (
        flock 8
        [[ -d $1 ]] && exit 0
        local started
        started=$(now_ms)
        say "fetching into $1"
        rm -rf "$1.partial"
        mkdir -p "$1.partial"
        "$2" "$1.partial" >"$1.log" 2>&1 8>&- || die_with_log "could not be fetched or built" "$1.log"
        mv "$1.partial" "$1"
        say "fetched after $(seconds_since "$started")"
    ) 8>>"$1.lock"
}

# All jars that a pom names, with what they need, into FOLDER/lib.
maven_jars() { # POM FOLDER
    cp "$1" "$2/pom.xml"
    mvn -q -B -f "$2/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$2/lib"
}
