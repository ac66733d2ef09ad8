// Cold path. The names the IANA registries give to DNS numbers, https://www.iana.org/assignments/dns-parameters.

/** Resource record types. */
const DNS_TYPE_NAMES: Readonly<Record<number, string>> = Object.freeze({
  1: 'A',
  2: 'NS',
  3: 'MD',
  4: 'MF',
  5: 'CNAME',
  6: 'SOA',
  7: 'MB',
  8: 'MG',
  9: 'MR',
  10: 'NULL',
  11: 'WKS',
  12: 'PTR',
  13: 'HINFO',
  14: 'MINFO',
  15: 'MX',
  16: 'TXT',
  17: 'RP',
  18: 'AFSDB',
  19: 'X25',
  20: 'ISDN',
  21: 'RT',
  22: 'NSAP',
  23: 'NSAP-PTR',
  24: 'SIG',
  25: 'KEY',
  26: 'PX',
  27: 'GPOS',
  28: 'AAAA',
  29: 'LOC',
  30: 'NXT',
  31: 'EID',
  32: 'NIMLOC',
  33: 'SRV',
  34: 'ATMA',
  35: 'NAPTR',
  36: 'KX',
  37: 'CERT',
  38: 'A6',
  39: 'DNAME',
  40: 'SINK',
  41: 'OPT',
  42: 'APL',
  43: 'DS',
  44: 'SSHFP',
  45: 'IPSECKEY',
  46: 'RRSIG',
  47: 'NSEC',
  48: 'DNSKEY',
  49: 'DHCID',
  50: 'NSEC3',
  51: 'NSEC3PARAM',
  52: 'TLSA',
  53: 'SMIMEA',
  55: 'HIP',
  56: 'NINFO',
  57: 'RKEY',
  58: 'TALINK',
  59: 'CDS',
  60: 'CDNSKEY',
  61: 'OPENPGPKEY',
  62: 'CSYNC',
  63: 'ZONEMD',
  64: 'SVCB',
  65: 'HTTPS',
  66: 'DSYNC',
  67: 'HHIT',
  68: 'BRID',
  99: 'SPF',
  100: 'UINFO',
  101: 'UID',
  102: 'GID',
  103: 'UNSPEC',
  104: 'NID',
  105: 'L32',
  106: 'L64',
  107: 'LP',
  108: 'EUI48',
  109: 'EUI64',
  128: 'NXNAME',
  249: 'TKEY',
  250: 'TSIG',
  251: 'IXFR',
  252: 'AXFR',
  253: 'MAILB',
  254: 'MAILA',
  255: 'ANY',
  256: 'URI',
  257: 'CAA',
  258: 'AVC',
  259: 'DOA',
  260: 'AMTRELAY',
  261: 'RESINFO',
  262: 'WALLET',
  263: 'CLA',
  264: 'IPN',
  32768: 'TA',
  32769: 'DLV',
})

/** NetBIOS names its two types itself (RFC 1002 4.2.1.3); 32 and 33 mean something else in DNS. */
const NBNS_TYPE_NAMES: Readonly<Record<number, string>> = Object.freeze({ 32: 'NB', 33: 'NBSTAT' })

export function netbiosTypeName(type: number): string {
  return NBNS_TYPE_NAMES[type] ?? dnsTypeName(type)
}

/** `A`, `HTTPS`, … or `TYPE65280` (RFC 3597 5). */
export function dnsTypeName(type: number): string {
  return DNS_TYPE_NAMES[type] ?? `TYPE${type}`
}

const OPCODE_NAMES: Readonly<Record<number, string>> = Object.freeze({
  0: 'QUERY',
  1: 'IQUERY',
  2: 'STATUS',
  4: 'NOTIFY',
  5: 'UPDATE',
  6: 'DSO',
})

export function dnsOpcodeName(opcode: number): string {
  return OPCODE_NAMES[opcode] ?? `OPCODE${opcode}`
}

const RCODE_NAMES: Readonly<Record<number, string>> = Object.freeze({
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  6: 'YXDOMAIN',
  7: 'YXRRSET',
  8: 'NXRRSET',
  9: 'NOTAUTH',
  10: 'NOTZONE',
  11: 'DSOTYPENI',
  16: 'BADVERS',
  17: 'BADKEY',
  18: 'BADTIME',
  19: 'BADMODE',
  20: 'BADNAME',
  21: 'BADALG',
  22: 'BADTRUNC',
  23: 'BADCOOKIE',
})

/** `NOERROR`, `NXDOMAIN`, … or `RCODE12`. */
export function dnsRcodeName(rcode: number): string {
  return RCODE_NAMES[rcode] ?? `RCODE${rcode}`
}

/** EDNS option codes as they are written in lower case in our output. */
export const EDNS_OPTION_NAMES: Readonly<Record<number, string>> = Object.freeze({
  1: 'llq',
  2: 'update-lease',
  3: 'nsid',
  5: 'dau',
  6: 'dhu',
  7: 'n3u',
  8: 'client-subnet',
  9: 'expire',
  10: 'cookie',
  11: 'tcp-keepalive',
  12: 'padding',
  13: 'chain',
  14: 'key-tag',
  15: 'extended-error',
  16: 'client-tag',
  17: 'server-tag',
  18: 'report-channel',
  19: 'zone-version',
  20: 'mqtype-query',
  21: 'mqtype-response',
})

/** Extended DNS Errors, RFC 8914 5.2 and its registry; index = INFO-CODE. */
const EXTENDED_ERROR_NAMES: readonly string[] = Object.freeze([
  'Other Error',
  'Unsupported DNSKEY Algorithm',
  'Unsupported DS Digest Type',
  'Stale Answer',
  'Forged Answer',
  'DNSSEC Indeterminate',
  'DNSSEC Bogus',
  'Signature Expired',
  'Signature Not Yet Valid',
  'DNSKEY Missing',
  'RRSIGs Missing',
  'No Zone Key Bit Set',
  'NSEC Missing',
  'Cached Error',
  'Not Ready',
  'Blocked',
  'Censored',
  'Filtered',
  'Prohibited',
  'Stale NXDOMAIN Answer',
  'Not Authoritative',
  'Not Supported',
  'No Reachable Authority',
  'Network Error',
  'Invalid Data',
  'Signature Expired before Valid',
  'Too Early',
  'Unsupported NSEC3 Iterations Value',
  'Unable to conform to policy',
  'Synthesized',
  'Invalid Query Type',
])

/** `Blocked`, `Censored`, … or `EDE 99`. */
export function extendedErrorName(infoCode: number): string {
  return EXTENDED_ERROR_NAMES[infoCode] ?? `EDE ${infoCode}`
}

/** SVCB service parameter keys, RFC 9460 14.3.2 and its registry. */
const SVC_PARAM_NAMES: Readonly<Record<number, string>> = Object.freeze({
  0: 'mandatory',
  1: 'alpn',
  2: 'no-default-alpn',
  3: 'port',
  4: 'ipv4hint',
  5: 'ech',
  6: 'ipv6hint',
  7: 'dohpath',
  8: 'ohttp',
  9: 'tls-supported-groups',
})

/** `alpn`, `ech`, … or `key65400` (RFC 9460 2.1). */
export function svcParamName(key: number): string {
  return SVC_PARAM_NAMES[key] ?? `key${key}`
}
