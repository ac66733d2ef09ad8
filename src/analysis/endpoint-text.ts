// A VPN server as a person writes it.

/** `192.0.2.1:51820`, `[2001:db8::1]:51820` or an address alone; port 0 = any. */
export function splitEndpoint(text: string): { address: string; port: number } {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text)
  if (bracketed !== null) return { address: bracketed[1]!, port: Number(bracketed[2] ?? 0) }
  const plain = /^([^:]*):(\d{1,5})$/.exec(text)
  if (plain !== null) return { address: plain[1]!, port: Number(plain[2]) }
  return { address: text, port: 0 }
}
