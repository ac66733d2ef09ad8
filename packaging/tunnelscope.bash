# Completion for bash: commands and flags as the program itself lists them, files otherwise.
_tunnelscope() {
  local current=${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    local commands
    commands=$(tunnelscope --help 2>/dev/null | awk '/^Commands:/ { on = 1; next } on && /^  [a-z]/ { print $1 }')
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
  elif [[ $current == -* ]]; then
    local flags
    flags=$(tunnelscope "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE '(^|[ ,])--?[a-zA-Z][a-z-]*' | tr -d ' ,')
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _tunnelscope tunnelscope
