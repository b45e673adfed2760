
# Names of the cluster, where a command takes them.
function __kcctl_names
    kcctl --quiet --timeout 2s $argv[1] 2>/dev/null | string split -n ' '
end
function __kcctl_after
    string match -qr -- "^kcctl(\s.*)?\s$argv[1]\s" (commandline -cp)
end
complete -c kcctl -f -n "__kcctl_after '(pause|resume|stop|restart|delete|patch|describe) connectors?'" -a "(__kcctl_names connector-name-completions)"
complete -c kcctl -f -n "__kcctl_after '(get|patch|reset) offsets?'" -a "(__kcctl_names connector-name-completions)"
complete -c kcctl -f -n "__kcctl_after 'restart tasks?'" -a "(__kcctl_names task-name-completions)"
complete -c kcctl -f -n "__kcctl_after 'describe plugins?'" -a "(__kcctl_names plugin-name-completions)"
complete -c kcctl -f -n "__kcctl_after '(describe workers?|worker (drain|undrain))'" -a "(__kcctl_names worker-name-completions)"
complete -c kcctl -f -n "__kcctl_after 'config (use|remove|set)-context'" -a "(__kcctl_names context-name-completions)"
complete -c kcctl -x -l context -a "(__kcctl_names context-name-completions)"
