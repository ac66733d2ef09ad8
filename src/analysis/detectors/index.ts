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
import { dnsLeakWindow } from './dns-leak-window.ts'
import { dnsLocalProxy } from './dns-local-proxy.ts'
import { dnsResolverNotVpn } from './dns-resolver-not-vpn.ts'
import { dnsSlow } from './dns-slow.ts'
import { dnsUnanswered } from './dns-unanswered.ts'
import { trafficMalformed } from './traffic-malformed.ts'
import { trafficOutsideTunnel } from './traffic-outside-tunnel.ts'
import { tunnelDown } from './tunnel-down.ts'

export const DETECTORS: readonly Detector[] = Object.freeze([
  dnsLeak,
  dnsLeakWindow,
  dnsLanExposure,
  dnsExpected,
  tunnelDown,
  trafficOutsideTunnel,
  dnsResolverNotVpn,
  dnsUnanswered,
  dnsSlow,
  dnsFailing,
  dnsAnswerConflict,
  dnsAnswersDiffer,
  dnsIntercepted,
  dnsLocalProxy,
  captureLoss,
  captureBlind,
  trafficMalformed,
])
