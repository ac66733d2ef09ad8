// The list of detectors. One line each; the id is the file's name.
import type { Detector } from '../detector.ts'
import { captureBlind } from './capture-blind.ts'
import { captureLoss } from './capture-loss.ts'
import { dnsAnswerConflict } from './dns-answer-conflict.ts'
import { dnsAnswersDiffer } from './dns-answers-differ.ts'
import { dnsExpected } from './dns-expected.ts'
import { dnsFailing } from './dns-failing.ts'
import { dnsIntercepted } from './dns-intercepted.ts'
import { dnsLanExposure } from './dns-lan-exposure.ts'
import { dnsLeak } from './dns-leak.ts'
import { dnsLeakEncrypted } from './dns-leak-encrypted.ts'
import { dnsLeakWindow } from './dns-leak-window.ts'
import { dnsLocalProxy } from './dns-local-proxy.ts'
import { dnsResolverNotVpn } from './dns-resolver-not-vpn.ts'
import { dnsSlow } from './dns-slow.ts'
import { dnsUnanswered } from './dns-unanswered.ts'
import { httpGatewayError } from './http-gateway-error.ts'
import { httpLocalProxy } from './http-local-proxy.ts'
import { httpRefused } from './http-refused.ts'
import { mtuBlackHole } from './mtu-black-hole.ts'
import { mtuDfCleared } from './mtu-df-cleared.ts'
import { mtuDfFragment } from './mtu-df-fragment.ts'
import { mtuDnsFragmented } from './mtu-dns-fragmented.ts'
import { mtuFragmentLost } from './mtu-fragment-lost.ts'
import { mtuFragmentOverlap } from './mtu-fragment-overlap.ts'
import { mtuMssClamped } from './mtu-mss-clamped.ts'
import { mtuMssTooLarge } from './mtu-mss-too-large.ts'
import { mtuOuterFragmented } from './mtu-outer-fragmented.ts'
import { mtuOuterPtb } from './mtu-outer-ptb.ts'
import { mtuPtbIgnored } from './mtu-ptb-ignored.ts'
import { mtuPtbInvalid } from './mtu-ptb-invalid.ts'
import { mtuPtbUnmatched } from './mtu-ptb-unmatched.ts'
import { mtuQuicBlocked } from './mtu-quic-blocked.ts'
import { mtuTooBig } from './mtu-too-big.ts'
import { routeInjection } from './route-injection.ts'
import { siteDiffers } from './site-differs.ts'
import { tcpLossy } from './tcp-lossy.ts'
import { tcpUnreachable } from './tcp-unreachable.ts'
import { tlsAlert } from './tls-alert.ts'
import { tlsReset } from './tls-reset.ts'
import { tlsStalled } from './tls-stalled.ts'
import { trafficMalformed } from './traffic-malformed.ts'
import { trafficOutsideTunnel } from './traffic-outside-tunnel.ts'
import { tunnelDown } from './tunnel-down.ts'

export const DETECTORS: readonly Detector[] = Object.freeze([
  dnsLeak,
  dnsLeakWindow,
  dnsLeakEncrypted,
  dnsLanExposure,
  dnsExpected,
  tunnelDown,
  routeInjection,
  trafficOutsideTunnel,
  dnsResolverNotVpn,
  dnsUnanswered,
  dnsSlow,
  dnsFailing,
  dnsAnswerConflict,
  dnsAnswersDiffer,
  dnsIntercepted,
  dnsLocalProxy,
  mtuBlackHole,
  mtuTooBig,
  mtuPtbUnmatched,
  mtuPtbIgnored,
  mtuPtbInvalid,
  mtuOuterPtb,
  mtuOuterFragmented,
  mtuFragmentLost,
  mtuFragmentOverlap,
  mtuDfFragment,
  mtuDfCleared,
  mtuMssTooLarge,
  mtuMssClamped,
  mtuDnsFragmented,
  mtuQuicBlocked,
  tlsStalled,
  tlsAlert,
  tlsReset,
  tcpUnreachable,
  tcpLossy,
  httpGatewayError,
  httpRefused,
  httpLocalProxy,
  siteDiffers,
  captureLoss,
  captureBlind,
  trafficMalformed,
])
