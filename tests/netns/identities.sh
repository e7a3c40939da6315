# Agents that know each other by public keys: source it after agents.sh.
#
#   key_pair NAME             makes $WORK/NAME.private
#   public_of NAME            prints its public key
#   identity NAME             both, and remembers the public key as the one that others configure
#   configure_by_key NAME [LINE...]   every site is a peer with its key; LINEs are added to [security]
#   agent_by_key NAME [LINE...]       starts it

# Readable for an agent that is not root any more, so that it can be told to reload.
readable() { chmod 0640 "$1" && { chgrp tribecast "$1" 2>/dev/null || chgrp nogroup "$1"; }; }

key_pair() {
  (umask 077 && "$BIN/tribecast" keygen --private-key >"$WORK/$1.private")
  readable "$WORK/$1.private"
}

public_of() { "$BIN/tribecast" keygen --public-key <"$WORK/$1.private"; }

identity() {
  key_pair "$1"
  public_of "$1" >"$WORK/$1.public"
}

security_by_key() {
  printf '[node]\nname = %s\n[control]\nsocket = %s\n' "$1" "$WORK/$1.sock"
  printf '[security]\nauth = public-key\nprivate-key = %s\n' "$WORK/$1.private"
  shift
  for line in "$@"; do printf '%s\n' "$line"; done
  printf '[group "tomcat"]\naddress = 228.0.0.4:45564\n'
}

configure_by_key() {
  {
    security_by_key "$@"
    for site in $SITES; do
      printf '[peer "%s"]\naddress = %s\n' "$site" "$(address_of "$site")"
      printf 'public-key = %s\n' "$(cat "$WORK/$site.public")"
    done
  } >"$WORK/$1.conf"
}

agent_by_key() {
  configure_by_key "$@"
  launch "$1"
}
