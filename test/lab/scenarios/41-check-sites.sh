# location 1: one site answers 502 there, one 403, one is reset, two have wrong addresses; nothing is played but a healthy visit
# shellcheck shell=bash disable=SC2034,SC2154
sc_config() {
  TUN_A4=([$BAD]=$BAD4 [$NONE]=$NONE4)
  TUN_RULES=("addAction(QNameRule(\"$BAD.\"), SpoofAction({\"$BAD4\"}))"
             "addAction(QNameRule(\"$NONE.\"), SpoofAction({\"$NONE4\"}))"
             "addAction(QNameRule(\"slow.example.\"), DelayAction(700))"
             "addAction(QNameRule(\"missing.example.\"), RCodeAction(DNSRCode.NXDOMAIN))")
  # TCP header with timestamps is 32 bytes; TLS handshake records begin with 0x16
  VPN_FWD_RULES="ip daddr $RST4 tcp dport 443 @th,256,8 0x16 reject with tcp reset"
}
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
