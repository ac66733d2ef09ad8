// Small network stories for the analysis: packets on named interfaces at milliseconds, analysed as one capture.
import { type Answer, encode, type Packet, RECURSION_DESIRED } from 'dns-packet'
import { createAnalyzer } from '../../src/analysis/analyzer.ts'
import type { Analyzer } from '../../src/analysis/analyzer-interface.ts'
import { ContinuedInputs } from '../../src/capture/continued-inputs.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import type { CaptureInterface, InputSummary } from '../../src/model/capture-interface.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import type { Finding } from '../../src/model/finding.ts'
import type { Report } from '../../src/model/report.ts'
import { type Bytes, batchOf, ethernet, ipv4, ipv6, tcp, udp } from '../decoders/build-packet.ts'

/** The story's machine: eth0 with IPv4 and IPv6, wg0 inside. */
export const LAN_CLIENT = '192.0.2.10'
export const LAN_CLIENT_V6 = '2001:db8:1::10'
export const LAN_RESOLVER = '192.0.2.53'
export const PUBLIC_RESOLVER = '198.51.100.53'
export const PUBLIC_RESOLVER_V6 = '2001:db8:100::53'
export const TUNNEL_CLIENT = '10.64.0.2'
export const TUNNEL_RESOLVER = '10.64.0.1'
export const START_MICROS = 1_700_000_000_000_000

/** One packet of a story. `ip` is the packet from its IP header on. */
export interface Step {
  atMillis: number
  on: string
  ip: Bytes
  /** Sent by the machine; decides the Ethernet addresses. */
  outgoing: boolean
}

export interface Lookup {
  on: string
  atMillis: number
  name: string
  type?: string
  from?: string
  to?: string
  port?: number
  id?: number
  over?: 'udp' | 'tcp'
  /** Milliseconds until the answer; absent = none. */
  answeredAfter?: number
  answers?: readonly Answer[]
  rcode?: 'NOERROR' | 'SERVFAIL' | 'NXDOMAIN' | 'REFUSED'
  clientPort?: number
  ttl?: number
}

let nextPort = 40_000

/** A DNS question over UDP and, with `answeredAfter`, its answer. */
export function lookup(o: Lookup): Step[] {
  const inside = o.on.startsWith('wg') || o.on.startsWith('tun')
  const to = o.to ?? (inside ? TUNNEL_RESOLVER : LAN_RESOLVER)
  const v6 = to.includes(':')
  const from = o.from ?? (inside ? TUNNEL_CLIENT : v6 ? LAN_CLIENT_V6 : LAN_CLIENT)
  const port = o.port ?? 53
  const clientPort = o.clientPort ?? nextPort++
  const id = o.id ?? clientPort & 0x7fff
  const questions = [{ type: (o.type ?? 'A') as 'A', name: o.name }]
  const question = encode({ type: 'query', id, flags: RECURSION_DESIRED, questions } as Packet)
  const steps: Step[] = [
    { atMillis: o.atMillis, on: o.on, outgoing: true, ip: ip(from, to, 17, udp(clientPort, port, question), o.ttl) },
  ]
  if (o.answeredAfter !== undefined) {
    const rcode = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }[o.rcode ?? 'NOERROR']
    const message = { type: 'response', id, flags: RECURSION_DESIRED | rcode, questions, answers: o.answers ?? [] }
    const answer = encode(message as unknown as Packet)
    steps.push({
      atMillis: o.atMillis + o.answeredAfter,
      on: o.on,
      outgoing: false,
      ip: ip(to, from, 17, udp(port, clientPort, answer)),
    })
  }
  return steps
}

/** A TCP SYN from the machine and, unless refused, its SYN-ACK. */
export function connect(on: string, atMillis: number, to: string, port: number, from?: string): Step[] {
  const source = from ?? (on.startsWith('wg') || on.startsWith('tun') ? TUNNEL_CLIENT : LAN_CLIENT)
  const clientPort = nextPort++
  const none = new Uint8Array(0)
  return [
    {
      atMillis,
      on,
      outgoing: true,
      ip: ip(source, to, 6, tcp(clientPort, port, none, { seq: clientPort, flags: 0x02 })),
    },
    {
      atMillis: atMillis + 10,
      on,
      outgoing: false,
      ip: ip(to, source, 6, tcp(port, clientPort, none, { seq: 1, ack: clientPort + 1, flags: 0x12 })),
    },
  ]
}

export function ip(src: string, dst: string, protocol: number, payload: Bytes, ttl = 64): Bytes {
  return src.includes(':')
    ? ipv6(protocol, payload, { src, dst, hopLimit: ttl })
    : ipv4(protocol, payload, { src, dst, ttl })
}

export interface PlayOptions {
  /** Milliseconds between which the tunnel's capture statistics say it was up; absent = no statistics. */
  tunnelUp?: readonly [number, number]
  /** Interfaces by name; link type 101 for tunnels. */
  interfaces?: readonly { name?: string; linkType: number; dropped?: number; received?: number }[]
  /** From here on the packets are in a second file, as in a ring of them. */
  cutAtMillis?: number
  vpnResolvers?: readonly string[]
  tunnels?: readonly string[]
  /** Packets come one by one and time passes between them, as the daemon sees it; needs `network` in `more`. */
  isLive?: boolean
  /** Live: what is told meanwhile can be taken here. */
  look?: (analyzer: Analyzer, atMillis: number) => void
  /** Extra analyzer options. */
  more?: Record<string, unknown>
}

/** The daemon looks at its ring so often. */
const TICK_MICROS = 4_000

/** Analyses the story and gives the report. Steps need not be in order. */
export function play(steps: readonly Step[], options: PlayOptions = {}): Report {
  return playAnalyzer(steps, options).report()
}

/** The same with the analyzer itself. */
export function playAnalyzer(steps: readonly Step[], options: PlayOptions = {}): Analyzer {
  const declared = options.interfaces ?? [
    { name: 'eth0', linkType: 1 },
    { name: 'wg0', linkType: 101 },
  ]
  const fileNames = options.cutAtMillis === undefined ? ['story.pcapng'] : ['story.pcapng', 'next.pcapng']
  const inEachFile = fileNames.flatMap((inputName, inputIndex) =>
    declared.map((one) => ({ one, inputName, inputIndex })),
  )
  const interfaces = inEachFile.map(({ one, inputName, inputIndex }, id): CaptureInterface => {
    const made: CaptureInterface = {
      id,
      inputIndex,
      inputName,
      linkType: one.linkType,
      snapLen: 0,
      addresses: [],
      ...(one.name === undefined ? {} : { name: one.name }),
    }
    const isTunnel = one.linkType !== 1
    if (isTunnel && options.tunnelUp !== undefined) {
      const [from, to] = options.tunnelUp
      made.statistics = { startMicros: START_MICROS + from * 1000, endMicros: START_MICROS + to * 1000, dropped: 0 }
    }
    if (one.dropped !== undefined) made.statistics = { ...made.statistics, dropped: one.dropped }
    if (one.received !== undefined) made.statistics = { ...made.statistics, received: one.received }
    return made
  })
  const packetCounts = fileNames.map(
    (_, index) => steps.filter((one) => fileNames.length === 1 || isLater(one, options) === (index === 1)).length,
  )
  const inputs = fileNames.map(
    (name, index): InputSummary => ({
      name,
      format: 'pcapng',
      packets: packetCounts[index]!,
      bytes: 0,
      late: 0,
      firstMicros: index,
    }),
  )
  const analyzer = createAnalyzer(interfaces, inputs, {
    version: 'test',
    tunnels: options.tunnels ?? [],
    physicals: [],
    vpnResolvers: options.vpnResolvers ?? [],
    ...options.more,
  })
  const sorted = [...steps].sort((a, b) => a.atMillis - b.atMillis)
  const packets = sorted.map((step, index) => {
    const interfaceId = declared.findIndex((one) => one.name === step.on)
    const linkType = declared[interfaceId]!.linkType
    return {
      bytes: linkType === 1 ? frame(step) : step.ip,
      linkType,
      timeMicros: START_MICROS + step.atMillis * 1000,
      interfaceId: interfaceId + (isLater(step, options) ? declared.length : 0),
      frameNumber: isLater(step, options) ? index + 1 - packetCounts[0]! : index + 1,
    }
  })
  const batchLen = options.isLive === true ? 1 : 1000
  const out = createDecodedBatch(batchLen)
  const ring = new ContinuedInputs(interfaces, inputs, () => true)
  if (fileNames.length > 1) for (const one of packets) ring.drawn(batchOf([one]), 0, 1)
  for (let at = 0; at < packets.length; at += batchLen) {
    const batch = batchOf(packets.slice(at, at + batchLen))
    if (fileNames.length > 1) ring.join(batch)
    decodeBatch(batch, out)
    analyzer.consume(batch, out)
    if (options.isLive !== true) continue
    const next = packets[at + 1]?.timeMicros ?? 0
    for (let time = batch.timeMicros[0]! + TICK_MICROS; time < next; time += TICK_MICROS) {
      analyzer.tick(time)
      options.look?.(analyzer, (time - START_MICROS) / 1000)
    }
  }
  if (fileNames.length > 1) ring.end()
  analyzer.end()
  return analyzer
}

function isLater(step: Step, { cutAtMillis }: PlayOptions): boolean {
  return cutAtMillis !== undefined && step.atMillis >= cutAtMillis
}

/** Ethernet with the machine's address on the right side; the other side is the router. */
function frame(step: Step): Bytes {
  const isV6 = step.ip[0]! >> 4 === 6
  const made = ethernet(isV6 ? 0x86dd : 0x0800, step.ip)
  if (!step.outgoing) {
    made.set([2, 0, 0, 0, 0, 1], 0)
    made.set([2, 0, 0, 0, 0, 2], 6)
  }
  return made
}

export function findingsOf(report: Report, id: string): Finding[] {
  return report.findings.filter((finding) => finding.id === id)
}
