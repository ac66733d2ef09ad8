# a kill switch: the firewall lets nothing out but the VPN's own packets; nothing is played but a small visit
# shellcheck shell=bash disable=SC2034,SC2154
sc_play() {
  ns cl nft -f - <<-NFT
	table inet killswitch {
	  chain on_output { type filter hook output priority 0;
	    oifname "$ETH" udp dport $VPN_PORT accept
	    oifname "$ETH" meta l4proto { tcp, udp } drop
	  }
	}
	NFT
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
