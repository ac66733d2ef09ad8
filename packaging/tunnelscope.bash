# Completion for bash: commands and flags as the program itself lists them, files otherwise.
_tunnelscope() {
  local current=${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ] || [ "$COMP_CWORD ${COMP_WORDS[1]}" = '2 help' ]; then
    local commands
    commands=$(tunnelscope --help 2>/dev/null | awk '/^Commands:/ { on = 1; next } on && /^  [a-z]/ { print $1 }')
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
  elif [[ $current == -* ]]; then
    local flags
    # From "  -4, --ipv4  IPv4 only"; the sentence beside it may name flags of others.
    flags=$(tunnelscope "${COMP_WORDS[1]}" --help 2>/dev/null | sed -nE 's/^  (-[^ ]+( --[^ ]+)?).*/\1/p' | tr -d ,)
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _tunnelscope tunnelscope
