// The list of detectors. One line each; the id is the file's name.
import type { Detector } from '../detector.ts'
import { captureLoss } from './capture-loss.ts'
import { dnsLeak } from './dns-leak.ts'
import { dnsResolverNotVpn } from './dns-resolver-not-vpn.ts'
import { dnsUnanswered } from './dns-unanswered.ts'
import { trafficMalformed } from './traffic-malformed.ts'

export const DETECTORS: readonly Detector[] = Object.freeze([
  dnsLeak,
  dnsResolverNotVpn,
  dnsUnanswered,
  captureLoss,
  trafficMalformed,
])
