
# Names of the cluster, where a command takes them; everything else comes from the function above.
_kcctl_names() {
    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
    local line=" ${COMP_WORDS[*]:1:COMP_CWORD-1} " source=
    case "$previous" in
        --context) source=context-name-completions ;;
        -[ofstrn] | --*) ;;
        *)
            if [[ $line =~ \ (pause|resume|stop|restart|delete|patch|describe)\ connectors?\  ]] ||
                [[ $line =~ \ (get|patch|reset)\ offsets?\  ]]; then
                source=connector-name-completions
            elif [[ $line =~ \ restart\ tasks?\  ]]; then
                source=task-name-completions
            elif [[ $line =~ \ describe\ plugins?\  ]]; then
                source=plugin-name-completions
            elif [[ $line =~ \ (describe\ workers?|worker\ (drain|undrain))\  ]]; then
                source=worker-name-completions
            elif [[ $line =~ \ config\ (use|remove|set)-context\  ]]; then
                source=context-name-completions
            fi
            ;;
    esac
    if [[ -n $source && $current != -* ]]; then
        local name quoted names=()
        read -ra names < <(kcctl --quiet --timeout 2s "$source" 2>/dev/null)
        COMPREPLY=()
        for name in "${names[@]}"; do
            # Not `compgen -W`: that would run what a name says.
            printf -v quoted %q "$name"
            if [[ $quoted == "$current"* || $name == "$current"* ]]; then
                COMPREPLY+=("$quoted")
            fi
        done
    else
        _kcctl "$@"
    fi
}
complete -F _kcctl_names -o bashdefault -o default kcctl
