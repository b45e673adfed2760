
# Names of the cluster, where a command takes them; everything else comes from the function above.
_kcctl_names() {
    local current="${words[CURRENT]}" previous="${words[CURRENT-1]}"
    local line=" ${words[2,CURRENT-1]} " source=
    case "$previous" in
        --context) source=context-name-completions ;;
        -[ofstrn]|--*) ;;
        *)
            if [[ $line =~ ' (pause|resume|stop|restart|delete|patch|describe) connectors? ' ||
                  $line =~ ' (get|patch|reset) offsets? ' ]]; then
                source=connector-name-completions
            elif [[ $line =~ ' restart tasks? ' ]]; then
                source=task-name-completions
            elif [[ $line =~ ' describe plugins? ' ]]; then
                source=plugin-name-completions
            elif [[ $line =~ ' (describe workers?|worker (drain|undrain)) ' ]]; then
                source=worker-name-completions
            elif [[ $line =~ ' config (use|remove|set)-context ' ]]; then
                source=context-name-completions
            fi
            ;;
    esac
    if [[ -n $source && $current != -* ]]; then
        compadd -- ${=$(kcctl --quiet --timeout 2s $source 2>/dev/null)}
    else
        _kcctl "$@"
    fi
}
compdef _kcctl_names kcctl
