import { existsSync, readFileSync } from 'node:fs'
import { createAddressTable } from '../../../src/analysis/trackers/addresses.ts'
import { createNetworkHistory } from '../../../src/analysis/trackers/network-history.ts'
import { createPathTable } from '../../../src/analysis/trackers/path-table.ts'
import { createTransport } from '../../../src/analysis/trackers/transport.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import { createPacketBatch } from '../../../src/model/packet-batch.ts'
import { reportText } from '../../../src/text/report.ts'
import { createRandom } from '../../fixtures/frames.ts'
import { story as quiet } from '../../fixtures/mtu-black-hole/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-black-hole/raises.make.ts'
import { clientHelloRecord, createStory, SITE, type Story } from '../../fixtures/path-story.ts'
import { networkContext } from '../../network-story.ts'
import { findingsOf, play, START_MICROS, type Step } from '../scenario.ts'

const ID = 'mtu-black-hole'
const FULL = 1380

describe('raises', () => {
  test('for a full segment that dies while a later small one arrives, with the MTU that the path outside gives away', () => {
    expect(findingsOf(play(raises().steps), ID)).toMatchObject([
      {
        severity: 'critical',
        confidence: 'proven',
        interface: 'wg0',
        data: {
          server: SITE,
          directions: ['uplink'],
          proof: 'sack-hole',
          largestDelivered: 455,
          smallestLost: 1420,
          pathMtu: 1400,
          suggestedTunnelMtu: 1340,
          suggestedMss: 1300,
          suggestedMssV6: 1280,
        },
      },
    ])
  })

  test('in a capture that shows every packet three times', () => {
    const copies = raises().steps.flatMap((step) =>
      [0, 0.2, 0.4].map((later) => ({ ...step, atMillis: step.atMillis + later })),
    )
    expect(findingsOf(play(copies), ID)).toMatchObject([{ data: { proof: 'sack-hole', smallestLost: 1420 } }])
  })

  test('live, with the MTU of the tunnel and what TCP here does about it by itself', () => {
    const network = createNetworkHistory(false)
    network.add({ ...networkContext({ timeMicros: START_MICROS, tunnel: 'up' }), tcpMtuProbing: 0 })
    const report = play(raises().steps, { more: { network } })
    const [finding] = findingsOf(report, ID)
    expect(finding).toMatchObject({ data: { tcpMtuProbing: 0, tunnelMtu: 1420 } })
    expect(finding!.advice).toMatch(/^Set the MTU of wg0 to 1340 .*tcp_mtu_probing is 0/)
    expect(report.system).toEqual({ tcpMtuProbing: 0 })
    const text = reportText(report, { width: 120, colour: false })
    expect(text).toContain('MTU 1420')
    expect(text).toContain('tcp_mtu_probing 0: TCP never finds its way out')
  })

  test('with the bracket and no number where nothing gives the MTU away', () => {
    const steps = raises().steps.filter((step) => step.on === 'wg0')
    const [finding] = findingsOf(play(steps, { tunnels: ['wg0'] }), ID)
    expect(finding).toMatchObject({ data: { largestDelivered: 455, smallestLost: 1420 } })
    expect(finding!.data).not.toHaveProperty('suggestedTunnelMtu')
  })

  test('for RFC 2923 2.1: a full segment that times out three times with the timer doubling', () => {
    const story = createStory()
    const upload = story.connection().open(0)
    for (const atMillis of [30, 1230, 4230, 10_230]) upload.out(atMillis, 0, FULL)
    expect(findingsOf(play(story.steps), ID)).toMatchObject([
      { confidence: 'strong', count: 1, data: { proof: 'timeouts', smallestLost: 1420 } },
    ])
  })

  test('for the same bytes that pass in smaller segments', () => {
    const story = createStory()
    const upload = story.connection().open(0)
    for (const atMillis of [30, 330, 930]) upload.out(atMillis, 0, FULL)
    upload.out(2130, 0, 1000).ackBack(2150, 1000).out(2151, 1000, 380).ackBack(2170, 1380)
    expect(findingsOf(play(story.steps), ID)).toMatchObject([
      { confidence: 'proven', data: { proof: 're-segmentation', smallestLost: 1420, largestDelivered: 1040 } },
    ])
  })

  test('coming back: the short end of the server’s flight is here, the gap before it stays open', () => {
    const story = createStory()
    const visit = story.connection().open(0).out(30, 0, clientHelloRecord('www.example.com', 400))
    visit
      .ackBack(50, 400)
      .back(51, 2 * FULL, 700)
      .ackOut(51.1, 0, [2 * FULL, 2 * FULL + 700])
      .finOut(3000)
    const report = play(story.steps)
    expect(findingsOf(report, ID)).toMatchObject([
      { confidence: 'proven', data: { proof: 'gap', directions: ['downlink'], smallestLost: 1420 } },
    ])
    expect(findingsOf(report, 'tls-stalled')).toMatchObject([{ cause: 'downlink', data: { gapLen: 2 * FULL } }])
  })

  test('and is not taken back by offload frames after TCP found a size that passes (tcp_mtu_probing 1)', () => {
    const story = createStory()
    const upload = story.connection().open(0)
    for (const atMillis of [30, 330, 930]) upload.out(atMillis, 0, FULL)
    upload.out(2130, 0, 1024).ackBack(2150, 1024).out(2151, 1024, 356).ackBack(2170, FULL)
    for (let index = 0; index < 5; index++) {
      const [at, seq] = [2200 + index * 30, FULL + index * 10_240]
      upload.out(at, seq, 10_240).ackBack(at + 20, seq + 10_240)
    }
    // Two segments in one frame that is shorter than a full packet.
    upload.out(3000, FULL + 51_200, 1300).ackBack(3020, FULL + 52_500)
    expect(findingsOf(play(story.steps), ID)).toMatchObject([
      { confidence: 'proven', data: { proof: 're-segmentation', smallestLost: 1420, largestDelivered: 1064 } },
    ])
  })

  test('and is not taken back when the bytes pass once routers may cut them up: the sender has cleared DF', () => {
    const story = createStory()
    const upload = story.connection().open(0).out(30, 0, FULL).out(30.1, FULL, 300)
    upload.ackBack(50, 0, [FULL, FULL + 300])
    for (const atMillis of [300, 900, 2100]) upload.out(atMillis, 0, FULL)
    const before = story.steps.length
    upload.out(4500, 0, FULL).ackBack(4520, FULL + 300)
    upload.out(4600, FULL + 300, FULL).ackBack(4620, 2 * FULL + 300)
    for (const { ip } of story.steps.slice(before)) ip[6] = 0
    expect(findingsOf(play(story.steps), ID)).toMatchObject([
      { confidence: 'proven', data: { proof: 'sack-hole', smallestLost: 1420, largestDelivered: 340 } },
    ])
  })

  test('once for a tunnel on which several servers show the same', () => {
    const story = createStory()
    for (const [index, server] of ['198.51.100.80', '198.51.100.81'].entries()) {
      const upload = story.connection({ server }).open(index * 1000)
      for (const wait of [30, 1230, 4230, 10_230]) upload.out(index * 1000 + wait, 0, FULL)
    }
    expect(findingsOf(play(story.steps), ID)).toMatchObject([{ count: 2, data: { scope: 'tunnel' } }])
  })
})

describe('stays quiet', () => {
  test('when the repetition arrives', () => {
    expect(findingsOf(play(quiet().steps), ID)).toEqual([])
  })

  test('when that size was delivered on the path before', () => {
    const story = createStory()
    const upload = story.connection().open(0).out(30, 0, FULL).ackBack(50, FULL)
    for (const atMillis of [60, 1260, 4260, 10_260]) upload.out(atMillis, FULL, FULL)
    expect(findingsOf(play(story.steps), ID)).toEqual([])
  })

  test('when nothing gets through any more: a small segment sent later is not acknowledged either', () => {
    const story = createStory()
    const upload = story.connection().open(0).out(30, 0, FULL).out(31, FULL, 100)
    for (const atMillis of [1230, 4230, 10_230]) upload.out(atMillis, 0, FULL)
    expect(findingsOf(play(story.steps), ID)).toEqual([])
  })

  test('when the receiver has no room for it: its window is not scaled, for the other side cannot (RFC 7323 2.2)', () => {
    const story = createStory()
    const upload = story.connection().open(0).out(30, 0, 300).ackBack(50, 300)
    const [syn, , , , last] = story.steps.map((step) => step.ip)
    // No-operations where the SYN has its window scale; a window of 800 bytes.
    syn!.fill(1, 20 + 20 + 8, 20 + 20 + 12)
    last!.set([3, 32], 20 + 14)
    for (const atMillis of [60, 1260, 4260, 10_260]) upload.out(atMillis, 300, FULL)
    expect(findingsOf(play(story.steps), ID)).toEqual([])
  })

  test('when after a gap in what comes back nothing passes any more, small segments neither', () => {
    const story = createStory()
    const visit = story.connection().open(0).out(30, 0, 400).ackBack(50, 400)
    visit.back(51, 2 * FULL, 700).ackOut(51.1, 0, [2 * FULL, 2 * FULL + 700])
    for (const atMillis of [60, 290, 750, 1670, 3500]) visit.out(atMillis, 400, 60)
    expect(findingsOf(play(story.steps), ID)).toEqual([])
  })

  test('when a router says "too big", even about other ports', () => {
    for (const flip of [0, 0x55]) {
      const story = createStory()
      const upload = story.connection().open(0).out(30, 0, FULL)
      const about = Uint8Array.from(story.steps.at(-1)!.ip)
      about[21] = about[21]! ^ flip
      story.tooBig(40, 'wg0', '10.64.0.1', 1400, about)
      for (const atMillis of [1230, 4230, 10_230]) upload.out(atMillis, 0, FULL)
      const report = play(story.steps)
      expect(findingsOf(report, ID)).toEqual([])
      expect(findingsOf(report, flip === 0 ? 'mtu-ptb-ignored' : 'mtu-ptb-unmatched')).toHaveLength(1)
    }
  })

  test('for offload frames of 64 kB, which are many segments of the size agreed', () => {
    const story = createStory()
    const upload = story.connection().open(0)
    for (let index = 0; index < 5; index++) {
      const seq = index * 60_000
      upload.out(30 + index * 10, seq, 60_000).ackBack(35 + index * 10, seq + 60_000)
    }
    upload.out(100, 300_000, 60_000)
    for (const atMillis of [300, 700, 1500]) upload.out(atMillis, 300_000, FULL)
    const report = play(story.steps)
    expect(report.findings.filter((finding) => finding.severity !== 'info')).toEqual([])
    expect(report.paths[0]).toMatchObject({ toServer: { largestDelivered: 1420 } })
  })

  test('is taken back to a remark when the size passes after all', () => {
    const story = raises()
    story.connection().open(9000).out(9030, 0, FULL).ackBack(9050, FULL)
    expect(findingsOf(play(story.steps), ID)).toMatchObject([
      { severity: 'info', confidence: 'weak', cause: 'refuted', data: { passedLen: 1420 } },
    ])
  })

  test.each([1, 5])('under %i %% random loss of all sizes, over 50 seeds, up and down', (percent) => {
    for (let seed = 1; seed <= 50; seed++) {
      for (const direction of ['out', 'back'] as const) {
        const { holes, segments } = holesOf(lossyTransfer(seed, percent / 100, direction).steps)
        expect(holes).toBe(0)
        expect(segments).toBeGreaterThan(60)
      }
    }
  })
})

describe('shared/captures/vectors', () => {
  const folder = new URL('../../../../shared/captures/vectors/', import.meta.url)
  const isThere = existsSync(folder)
  if (!isThere) console.log('did not run: ../shared/captures/vectors is not there')

  test('RFC 2923: one black hole, strong, and nothing else that is loud', () => {
    if (!isThere) return
    expect(loud('rfc2923.pcap')).toMatchObject([{ id: ID, confidence: 'strong', data: { smallestLost: 1500 } }])
  })

  test('with a "too big" message of 1420 that is not heeded', () => {
    if (!isThere) return
    expect(loud('ptb.pcap')).toMatchObject([
      { id: 'mtu-ptb-ignored', data: { nextHopMtu: 1420, suggestedTunnelMtu: 1420, suggestedMss: 1380 } },
    ])
  })

  test('with that message about other ports: unmatched, and nothing else', () => {
    if (!isThere) return
    expect(loud('ptb.pcap', (ip) => ip[9] === 1 && ip.set([0x12, 0x34], 48))).toMatchObject([
      { id: 'mtu-ptb-unmatched', data: { nextHopMtu: 1420 } },
    ])
  })

  test('a ClientHello with a SACK hole: uplink, proven', () => {
    if (!isThere) return
    expect(loud('ch_sackhole.pcap')).toMatchObject([
      { id: ID, confidence: 'proven', data: { directions: ['uplink'], largestDelivered: 380, smallestLost: 1500 } },
      { id: 'tls-stalled', cause: 'uplink' },
    ])
  })

  /** Findings above info of a raw-IP classic capture in which `change` may alter the packets. */
  function loud(name: string, change?: (ip: Uint8Array) => unknown) {
    const bytes = readFileSync(new URL(name, folder))
    const steps: Step[] = []
    let first = -1
    for (let at = 24; at < bytes.length; ) {
      const millis = bytes.readUInt32LE(at) * 1000 + bytes.readUInt32LE(at + 4) / 1000
      if (first < 0) first = millis
      const length = bytes.readUInt32LE(at + 8)
      const ip = Uint8Array.from(bytes.subarray(at + 16, at + 16 + length))
      change?.(ip)
      steps.push({ atMillis: millis - first, on: 'raw', ip, outgoing: true })
      at += 16 + length
    }
    const report = play(steps, { interfaces: [{ name: 'raw', linkType: 101 }] })
    return report.findings.filter((finding) => finding.severity !== 'info')
  }
})

/** The trackers alone: sizes held for lost, and data segments seen. */
function holesOf(steps: readonly Step[]): { holes: number; segments: number } {
  const sorted = [...steps].sort((a, b) => a.atMillis - b.atMillis)
  const batch = createPacketBatch(sorted.length)
  batch.bytes = new Uint8Array(sorted.reduce((length, step) => length + step.ip.length, 0))
  batch.count = sorted.length
  let at = 0
  for (const [row, step] of sorted.entries()) {
    batch.bytes.set(step.ip, at)
    batch.startAt[row] = at
    batch.capturedLen[row] = step.ip.length
    batch.wireLen[row] = step.ip.length
    batch.linkType[row] = 101
    batch.timeMicros[row] = 1_700_000_000_000_000 + step.atMillis * 1000
    batch.frameNumber[row] = row + 1
    at += step.ip.length
  }
  const out = createDecodedBatch(sorted.length)
  decodeBatch(batch, out)
  const paths = createPathTable(createAddressTable())
  let holes = 0
  const transport = createTransport({ sizeLoss: () => holes++ }, { paths, maxFlows: 64 })
  for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
  transport.end()
  return { holes, segments: paths.sentByClass.reduce((sum, count) => sum + count, 0) }
}

/**
 * A transfer over a path that loses packets of any size: what was lost is sent again after 200 ms, 400 ms, … until it
 * arrives. Seen at the client: what it sends is all there, what comes back only when it was not lost.
 */
function lossyTransfer(seed: number, share: number, direction: 'out' | 'back'): Story {
  const random = createRandom(seed * 7919 + (direction === 'out' ? 1 : 2))
  const isLost = (): boolean => random() / 0x1_0000_0000 < share
  const story = createStory(seed)
  const transfer = story.connection({ port: 80 }).open(0)
  let now = 30
  let seq = 0
  for (let flight = 0; flight < 12; flight++) {
    const segments = Array.from({ length: 6 }, (_, index) => {
      const length = index === 5 || random() % 4 === 0 ? 40 + (random() % 1200) : FULL
      const segment = { seq, length, arrived: false }
      seq += length
      return segment
    })
    let timeout = 200
    for (let first = true; segments.some((segment) => !segment.arrived); first = false) {
      for (const segment of segments.filter((one) => !one.arrived)) {
        now += 0.2
        const lost = isLost()
        if (direction === 'out') transfer.out(now, segment.seq, segment.length)
        else if (!lost) transfer.back(now, segment.seq, segment.length)
        if (lost) continue
        segment.arrived = true
        const hole = segments.find((one) => !one.arrived && one.seq < segment.seq)
        const acked = (segments.find((one) => !one.arrived)?.seq ?? seq) || 0
        const sack: [number, number][] = hole === undefined ? [] : [[segment.seq, segment.seq + segment.length]]
        if (direction === 'out') transfer.ackBack(now + 20, Math.min(acked, segment.seq + segment.length), ...sack)
        else transfer.ackOut(now + 0.05, Math.min(acked, segment.seq + segment.length), ...sack)
      }
      now += first ? 40 : timeout
      if (!first) timeout *= 2
      else now += timeout - 40
    }
    now += 40
  }
  return story
}
