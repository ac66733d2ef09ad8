// Cold path. NetBIOS names as they travel in a DNS label (RFC 1001 14.1): 16 bytes, each as two letters A to P.

const ENCODED_LEN = 32
const NAME_LEN = 15

/**
 * `WORKSTATION<00>` for the first-level encoded name `text` (with `.scope` behind it where there is one); any other name
 * comes back as it is. Trailing blanks are padding; bytes beyond printable ASCII become \DDD.
 */
export function netbiosName(text: string): string {
  const dotAt = text.indexOf('.')
  const label = dotAt < 0 ? text : text.slice(0, dotAt)
  if (label.length !== ENCODED_LEN || !/^[A-P]+$/i.test(label)) return text
  const upper = label.toUpperCase()
  const byteAt = (i: number) => ((upper.charCodeAt(i * 2) - 65) << 4) | (upper.charCodeAt(i * 2 + 1) - 65)
  let nameLen = NAME_LEN
  while (nameLen > 0 && byteAt(nameLen - 1) === 0x20) nameLen--
  let name = ''
  for (let i = 0; i < nameLen; i++) {
    const byte = byteAt(i)
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c
    name += plain ? String.fromCharCode(byte) : `\\${byte.toString().padStart(3, '0')}`
  }
  const suffix = byteAt(NAME_LEN).toString(16).padStart(2, '0')
  return `${name}<${suffix}>${dotAt < 0 ? '' : text.slice(dotAt)}`
}
