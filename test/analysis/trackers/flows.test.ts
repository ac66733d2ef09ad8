import { FLOW_ID_AT, FLOW_SHIFT } from '../../../src/analysis/trackers/flow-record.ts'
import { createFlowTable } from '../../../src/analysis/trackers/flows.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import { ascii, type BatchPacket, batchOf, dnsQuery, icmp, ipv4, ipv6, udp } from '../../decoders/build-packet.ts'
import { ACK, FIN, handshake, play, RST, SYN, segment } from './play-packets.ts'

const SECOND = 1_000_000

describe('a TCP connection', () => {
  const closing: BatchPacket[] = [
    ...handshake(1000, 9000),
    segment({ seq: 1001, ack: 9001, data: 'abc' }),
    segment({ from: 'server', seq: 9001, ack: 1004 }),
    segment({ from: 'server', seq: 9001, ack: 1004, data: 'defgh' }),
    segment({ seq: 1004, ack: 9006, flags: FIN | ACK }),
    segment({ from: 'server', seq: 9006, ack: 1005, flags: FIN | ACK }),
    segment({ seq: 1005, ack: 9007 }),
  ]

  test('its SYN repeated after the end is not another one; a SYN that goes on from there is', () => {
    const repeated = segment({ seq: 1000, flags: SYN, options: [2, 4, 5, 0xb4] })
    expect(play([...closing, repeated]).flows).toHaveLength(1)
    expect(play([...closing, segment({ seq: 90_000, flags: SYN })]).flows).toHaveLength(2)
  })

  test('is one flow seen from its client, with history, sizes, MSS and round trip', () => {
    const { flows } = play(closing)
    expect(flows).toHaveLength(1)
    expect(flows[0]).toMatchObject({
      clientAddress: '192.0.2.1',
      clientPort: 40_000,
      serverAddress: '198.51.100.2',
      serverPort: 53,
      ipVersion: 4,
      ipProtocol: 6,
      state: 'closed',
      history: 'ShADadFf',
      packetsToServer: 5,
      packetsToClient: 4,
      bytesToServer: 44 + 40 * 4 + 3,
      bytesToClient: 44 + 40 * 3 + 5,
      mssToServer: 1460,
      mssToClient: 1360,
      rttMillis: 2,
      retransmissions: 0,
      startMicros: 0,
      endMicros: 8000,
      frameNumber: 9,
    })
  })

  test('whose SYN was not captured is turned round by its SYN-ACK', () => {
    expect(play(closing.slice(1)).flows[0]).toMatchObject({ clientPort: 40_000, rttMillis: -1, history: 'hADadFf' })
  })

  test('seen first from its server is turned round by the port, and says so', () => {
    const { flows } = play([segment({ from: 'server', seq: 5, data: 'x' }), segment({ seq: 7, data: 'y' })])
    expect(flows[0]).toMatchObject({ clientPort: 40_000, history: '^dD', state: 'active' })
  })

  test('begins anew with another SYN after its end, and with one that does not belong to it', () => {
    expect(play([...closing, ...handshake(500_000, 70)]).flows.map((flow) => flow.state)).toEqual([
      'closed',
      'established',
    ])
    const open = closing.slice(0, 6)
    expect(play([...open, ...handshake(500_000_000, 70)]).flows).toHaveLength(2)
    expect(play([...open, segment({ seq: 1000, flags: SYN })]).flows).toHaveLength(1)
  })

  test('ends by reset, and by silence', () => {
    const reset = play([...handshake(1, 2), segment({ from: 'server', seq: 3, ack: 2, flags: RST | ACK })])
    expect(reset.flows[0]).toMatchObject({ state: 'reset', history: 'ShAr' })
    const silent = [...handshake(1, 2), segment({ seq: 2, ack: 3, data: 'x', timeMicros: 301 * SECOND })]
    expect(play(silent).flows.map((flow) => flow.history)).toEqual(['ShA', 'D'])
    const kept = [...handshake(1, 2), segment({ seq: 2, ack: 3, data: 'x', timeMicros: 299 * SECOND })]
    expect(play(kept).flows).toHaveLength(1)
  })

  test('on another interface is another flow', () => {
    const elsewhere = handshake(1000, 9000).map((packet) => ({ ...packet, interfaceId: 1 }))
    expect(play([...handshake(1000, 9000), ...elsewhere]).flows.map((flow) => flow.interfaceId)).toEqual([0, 1])
  })
})

describe('retransmissions', () => {
  const start = handshake(1000, 9000)
  const count = (...packets: BatchPacket[]) => {
    const { retransmissions, history } = play([...start, ...packets]).flows[0]!
    return [retransmissions, history.includes('T')]
  }

  test('are segments that bring nothing new', () => {
    const data = segment({ seq: 1001, ack: 9001, data: 'abcd' })
    expect(count(data, data)).toEqual([1, true])
    expect(count(data, segment({ seq: 1003, ack: 9001, data: 'cdef' }))).toEqual([1, true])
    expect(play([start[0]!, start[0]!, start[0]!]).flows[0]!.retransmissions).toBe(2)
  })

  test('are not keep-alives, probes, or new data', () => {
    const data = segment({ seq: 1001, ack: 9001, data: 'abcd' })
    expect(count(data, segment({ seq: 1004, ack: 9001 }))).toEqual([0, false])
    expect(count(data, segment({ seq: 1004, ack: 9001, data: '\0' }))).toEqual([0, false])
    expect(count(data, segment({ seq: 1004, ack: 9001, data: 'defg' }))).toEqual([0, false])
    expect(count(data, segment({ seq: 1005, ack: 9001, data: 'efgh' }))).toEqual([0, false])
  })

  test('are told from late segments by the round trip of 2 ms', () => {
    const ahead = segment({ seq: 1005, ack: 9001, data: 'efgh', timeMicros: 10_000 })
    expect(count(ahead, segment({ seq: 1001, ack: 9001, data: 'ab', timeMicros: 11_000 }))[0]).toBe(0)
    expect(
      count(
        segment({ seq: 1001, ack: 9001, data: 'a' }),
        ahead,
        segment({ seq: 1002, data: 'bcd', timeMicros: 10_500 }),
      )[0],
    ).toBe(0)
    expect(
      count(
        segment({ seq: 1001, ack: 9001, data: 'a' }),
        ahead,
        segment({ seq: 1002, data: 'bcd', timeMicros: 13_000 }),
      )[0],
    ).toBe(1)
  })

  test('are found across the wrap of the sequence numbers', () => {
    const wrap = [
      ...handshake(0xffff_fffc, 9000),
      segment({ seq: 0xffff_fffd, ack: 9001, data: 'abcdefgh' }),
      segment({ seq: 5, ack: 9001, data: 'ijkl' }),
      segment({ seq: 1, ack: 9001, data: 'efgh' }),
    ]
    expect(play(wrap).flows[0]!.retransmissions).toBe(1)
  })
})

describe('datagrams', () => {
  test('UDP: question and answer are one flow; a minute of silence ends it', () => {
    const query: BatchPacket = { bytes: ipv4(17, udp(5000, 7, ascii('a question'))) }
    const answer: BatchPacket = {
      bytes: ipv4(17, udp(7, 5000, ascii('an answer')), { src: '198.51.100.2', dst: '192.0.2.1' }),
    }
    expect(play([query, answer, { ...query, timeMicros: 58 * SECOND }]).flows).toHaveLength(1)
    const { flows } = play([query, answer, { ...query, timeMicros: 62 * SECOND }])
    expect(flows.map((flow) => [flow.state, flow.history, flow.clientPort])).toEqual([
      ['established', 'Dd', 5000],
      ['new', 'D', 5000],
    ])
    expect(play([answer]).flows[0]).toMatchObject({ clientPort: 5000, history: '^d' })
  })

  test('UDP with DNS in it: ten seconds of silence end it', () => {
    const query: BatchPacket = { bytes: ipv4(17, udp(5000, 53, dnsQuery(7, 'a.example'))) }
    const answer: BatchPacket = {
      bytes: ipv4(17, udp(53, 5000, dnsQuery(7, 'a.example')), { src: '198.51.100.2', dst: '192.0.2.1' }),
    }
    expect(play([query, answer, { ...query, timeMicros: 9 * SECOND }]).flows).toHaveLength(1)
    expect(play([query, answer, { ...query, timeMicros: 12 * SECOND }]).flows.map((flow) => flow.history)).toEqual([
      'Dd',
      'D',
    ])
  })

  test('ICMP echo of both versions is a flow by its identifier, other ICMP is none', () => {
    const { flows } = play([
      { bytes: ipv4(1, icmp(8, 0, 0x00070001, ascii('ping'))) },
      { bytes: ipv4(1, icmp(0, 0, 0x00070001, ascii('ping')), { src: '198.51.100.2', dst: '192.0.2.1' }) },
      { bytes: ipv6(58, icmp(129, 0, 0x00080001, ascii('pong'))) },
      { bytes: ipv4(1, icmp(3, 1, 0, ipv4(17, udp(1, 2, ascii('x'))))) },
    ])
    expect(flows.map((flow) => [flow.ipProtocol, flow.clientPort, flow.state, flow.clientAddress])).toEqual([
      [1, 7, 'established', '192.0.2.1'],
      [58, 8, 'new', '2001:db8::2'],
    ])
  })
})

describe('the table', () => {
  const syn = (n: number, timeMicros: number): BatchPacket => ({
    ...segment({ seq: 1, flags: SYN, clientPort: 1 + (n % 60_000), serverPort: 1 + ((n / 60_000) | 0) }),
    linkType: 101,
    timeMicros,
  })

  test('holds no more than it may; the longest idle of the sampled make room, each flow is told once', () => {
    const ended = new Map<number, number>()
    const table = createFlowTable({
      maxFlows: 256,
      ended: (slot) => {
        const id = table.words[(slot << FLOW_SHIFT) + FLOW_ID_AT]!
        ended.set(id, (ended.get(id) ?? 0) + 1)
      },
    })
    const out = createDecodedBatch(1)
    for (let n = 0; n < 3000; n++) {
      const batch = batchOf([syn(n, n)])
      decodeBatch(batch, out)
      const slot = table.lookup(batch, out, 0)
      expect(slot).toBeGreaterThanOrEqual(0)
      expect(slot).toBeLessThan(256)
      table.record(slot, batch, out, 0)
      expect(table.count).toBeLessThanOrEqual(256)
      // What has just been put in is found again.
      expect(table.lookup(batch, out, 0)).toBe(slot)
    }
    expect(ended.size).toBe(3000 - 256)
    table.end()
    expect(ended.size).toBe(3000)
    expect(Math.max(...ended.values())).toBe(1)
    expect(table.count).toBe(0)
  })

  test('finds every flow after any mixture of ends and new ones', () => {
    const live = new Map<number, number>()
    const table = createFlowTable({
      maxFlows: 256,
      ended: (slot) => {
        for (const [n, its] of live) if (its === slot) live.delete(n)
      },
    })
    const out = createDecodedBatch(1)
    let seed = 1
    for (let step = 0; step < 2000; step++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      const n = (seed >>> 8) % 400
      const batch = batchOf([syn(n, step)])
      decodeBatch(batch, out)
      const known = live.get(n)
      const slot = table.lookup(batch, out, 0)
      if (known !== undefined) expect(slot).toBe(known)
      live.set(n, slot)
      table.record(slot, batch, out, 0)
      expect(table.count).toBe(live.size)
    }
  })

  test('forgets idle flows at a tick and uses their slots again', () => {
    const played = play([syn(1, 0), syn(2, 0), syn(3, 400 * SECOND)], { end: false })
    expect(played.flows).toHaveLength(2)
    expect(played.transport.flows.count).toBe(1)
  })
})
