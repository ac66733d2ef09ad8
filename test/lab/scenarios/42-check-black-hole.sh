# packets that fill the tunnel die on the way, and nobody says so; nothing is played but a small visit
# shellcheck shell=bash disable=SC2034,SC2154
sc_config() { PATH_MTU=1400 ICMP_FILTER=1; }
sc_play() {
  http 200 "http://$OK/"
  for_check
}
# What a check is held against.
for_check() {
  cp "$WORK/ca.pem" "$OUT/"
  jq -n --arg isp "$ISP4" --arg tunnel "$TUN4" --arg eth "$ETH" --arg tun "$TUN" --arg ok "$OK" --arg ok4 "$OK4" \
    --arg sitea "$SITEA" --arg sitea4 "$SITEA4" --arg siteb "$SITEB" --arg siteb4 "$SITEB4" --arg reset "$RSTSITE" \
    --arg bad "$BAD" --arg bad4 "$BAD4" --arg none "$NONE" --arg none4 "$NONE4" '$ARGS.named' >"$OUT/names.json"
}
