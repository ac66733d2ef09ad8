# location 2 and a public resolver, then location 1 and the tunnel's own at once, then only the resolver back
# shellcheck shell=bash disable=SC2034,SC2154
sc_config() {
  TUNNEL=play
  TUN_A4=([$BAD]=$BAD4)
  TUN_RULES=("addAction(QNameRule(\"$BAD.\"), SpoofAction({\"$BAD4\"}))")
}
sc_play() {
  tunnel_up 2; phase vpn; resolv "$PUB4"; sleep 1.5
  look 200 200
  tunnel_switch 1; resolv "$TUN4"; sleep 1.5
  look 502 502
  resolv "$PUB4"; sleep 1.5
  look 200 502
}
look() { # STATUS-OF-THE-WRONGLY-RESOLVED STATUS-OF-A
  http "$1" "http://$BAD/"
  http "$2" "http://$SITEA/"
  http 200 "http://$OK/"
  sleep 1.2
}
