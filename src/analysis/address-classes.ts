// What kind of address it is, from the four words of its mapped form. Registry: iana-ipv4-special-registry and -ipv6-.

/** Private use, link-local, shared (CGNAT) and unique local space: addresses that do not cross the internet. */
export function isPrivateAddress(w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) {
    return (
      w3 >>> 24 === 10 || // RFC 1918
      w3 >>> 20 === 0xac1 ||
      w3 >>> 16 === 0xc0a8 ||
      w3 >>> 16 === 0xa9fe || // RFC 3927
      w3 >>> 22 === 0x191 // RFC 6598, 100.64/10
    )
  }
  return w0 >>> 25 === 0x7e || w0 >>> 22 === 0x3fa // RFC 4193 fc00::/7, RFC 4291 fe80::/10
}

export function isLoopbackAddress(w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) return w3 >>> 24 === 127
  return w0 === 0 && w1 === 0 && w2 === 0 && w3 === 1
}

/** Multicast of both families, and the IPv4 limited broadcast. */
export function isMulticastAddress(w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) return w3 >>> 28 === 0xe || w3 === 0xffff_ffff
  return w0 >>> 24 === 0xff
}

/** The same /24 (IPv4) or /64 (IPv6): the usual size of one link, where the prefix itself is not known. */
export function isSameNetwork(a: readonly number[], b: readonly number[]): boolean {
  const isIpv4 = a[0] === 0 && a[1] === 0 && a[2] === 0xffff
  if (a[0] !== b[0] || a[1] !== b[1]) return false
  return isIpv4 ? b[2] === 0xffff && a[3]! >>> 8 === b[3]! >>> 8 : true
}

/** Documentation prefixes: RFC 5737, RFC 3849, RFC 9637. */
export function isDocumentationAddress(w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) {
    const net = w3 >>> 8
    return net === 0xc00002 || net === 0xc63364 || net === 0xcb0071
  }
  return w0 === 0x20010db8 || w0 >>> 12 === 0x3fff0
}

/** An address that stands for a host on the internet: neither private, loopback, multicast nor unspecified. */
export function isPublicAddress(w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 === 0 && w1 === 0 && (w2 === 0xffff ? w3 >>> 24 === 0 : w2 === 0)) return false
  return !isPrivateAddress(w0, w1, w2, w3) && !isLoopbackAddress(w0, w1, w2, w3) && !isMulticastAddress(w0, w1, w2, w3)
}
