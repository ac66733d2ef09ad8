// Cold path. The shapes of resource record data; dns-rdata reads them, dns-rdata-text writes them.
import type { EdnsOption } from './dns-edns.ts'
import type { SvcParam } from './dns-svc-params.ts'

/** One shape per `kind`; the record's type says which of several types of one shape it is. */
export type DnsData =
  | { kind: 'address'; address: string }
  | { kind: 'name'; name: string }
  | SoaData
  | { kind: 'mx'; preference: number; exchange: string }
  | { kind: 'strings'; strings: string[] }
  | SrvData
  | { kind: 'caa'; flags: number; tag: string; value: string }
  | NaptrData
  | { kind: 'svcb'; priority: number; target: string; params: SvcParam[] }
  | { kind: 'ds'; keyTag: number; algorithm: number; digestType: number; digest: string }
  | { kind: 'dnskey'; flags: number; protocol: number; algorithm: number; publicKey: string }
  | RrsigData
  | { kind: 'nsec'; nextName: string; types: number[] }
  | Nsec3Data
  | { kind: 'tlsa'; usage: number; selector: number; matchingType: number; certificate: string }
  | SshfpData
  | { kind: 'opt'; options: EdnsOption[] }
  | { kind: 'netbios'; nodes: { flags: number; address: string }[] }
  /** A type we do not decode, or data that contradicts its type. */
  | { kind: 'other'; hex: string }

/** RFC 1035 3.3.13; seconds. */
export interface SoaData {
  kind: 'soa'
  mname: string
  rname: string
  serial: number
  refresh: number
  retry: number
  expire: number
  minimum: number
}

/** RFC 2782. */
export interface SrvData {
  kind: 'srv'
  priority: number
  weight: number
  port: number
  target: string
}

/** RFC 3403 4.1. */
export interface NaptrData {
  kind: 'naptr'
  order: number
  preference: number
  flags: string
  services: string
  regexp: string
  replacement: string
}

/** RFC 4034 3.1; times in seconds since 1970, as on the wire (serial arithmetic). */
export interface RrsigData {
  kind: 'rrsig'
  typeCovered: number
  algorithm: number
  labels: number
  originalTtl: number
  expiration: number
  inception: number
  keyTag: number
  signer: string
  signature: string
}

/** RFC 5155 3.1. */
export interface Nsec3Data {
  kind: 'nsec3'
  hashAlgorithm: number
  flags: number
  iterations: number
  salt: string
  nextHashed: string
  types: number[]
}

/** RFC 4255 3.1; the fingerprint as colon-separated hexadecimal. */
export interface SshfpData {
  kind: 'sshfp'
  algorithm: number
  fingerprintType: number
  fingerprint: string
}
