# bash completion for tribecast-engine
_tribecast_engine() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  case $before in
    --config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    --user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "--config --user --check --help --version" -- "$word") ;;
  esac
}
complete -o filenames -F _tribecast_engine tribecast-engine
