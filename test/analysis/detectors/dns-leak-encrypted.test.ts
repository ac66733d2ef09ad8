import { encode, type Packet } from 'dns-packet'
import { platformCrypto } from '../../../src/daemon/platform-crypto.ts'
import type { Report } from '../../../src/model/report.ts'
import { type Bytes, hex, tcp, udp } from '../../decoders/build-packet.ts'
import { cryptoFrame, padded, sealInitial } from '../../decoders/build-quic.ts'
import { clientHello, extensions } from '../../decoders/build-tls.ts'
import {
  findingsOf,
  ip,
  LAN_CLIENT,
  LAN_CLIENT_V6,
  LAN_RESOLVER,
  lookup,
  type PlayOptions,
  play,
  type Step,
  TUNNEL_CLIENT,
} from '../scenario.ts'

const SERVER = '203.0.113.200'
const SERVER_V6 = '2001:db8:77::1'
/** Of the built-in list. */
const KNOWN_ADDRESS = '9.9.9.9'

const tunnelTime: Step[] = [
  ...lookup({ on: 'wg0', atMillis: 0, name: 'first.example', answeredAfter: 5 }),
  ...lookup({ on: 'wg0', atMillis: 10_000, name: 'last.example', answeredAfter: 5 }),
]

interface Connection {
  on?: string
  atMillis?: number
  to?: string
  port?: number
  sni?: string
  alpns?: string[]
}

let nextPort = 50_000

function hello(o: Connection): number[] {
  return clientHello({
    extensions: [
      ...(o.sni === undefined ? [] : [extensions.serverName(o.sni)]),
      ...(o.alpns === undefined ? [] : [extensions.alpn(o.alpns)]),
      extensions.supportedVersions([0x0304]),
    ],
  })
}

function sourceOf(o: Connection): string {
  if (o.on === 'wg0') return TUNNEL_CLIENT
  return (o.to ?? SERVER).includes(':') ? LAN_CLIENT_V6 : LAN_CLIENT
}

/** A TCP connection whose first data is a ClientHello. */
function tls(o: Connection): Step[] {
  const { on = 'eth0', atMillis = 1000, to = SERVER, port = 443 } = o
  const body = hello(o)
  const record = Uint8Array.from([22, 3, 1, body.length >> 8, body.length & 255, ...body])
  const clientPort = nextPort++
  const from = sourceOf(o)
  const out = (seq: number, flags: number, payload: Bytes, ack = 0): Bytes =>
    ip(from, to, 6, tcp(clientPort, port, payload, { seq, flags, ack }))
  const none = new Uint8Array(0)
  return [
    { on, atMillis, outgoing: true, ip: out(100, 0x02, none) },
    {
      on,
      atMillis: atMillis + 5,
      outgoing: false,
      ip: ip(to, from, 6, tcp(port, clientPort, none, { seq: 900, ack: 101, flags: 0x12 })),
    },
    { on, atMillis: atMillis + 6, outgoing: true, ip: out(101, 0x18, record, 901) },
  ]
}

/** A QUIC connection's first packet. */
function quic(o: Connection): Step[] {
  const { on = 'eth0', atMillis = 1000, to = SERVER, port = 443 } = o
  const payload = padded(cryptoFrame(0, hello(o)), 1162)
  const packet = sealInitial({ destinationId: hex('0102030405060708'), payload })
  return [{ on, atMillis, outgoing: true, ip: ip(sourceOf(o), to, 17, udp(nextPort++, port, packet)) }]
}

function report(steps: readonly Step[], options: PlayOptions = {}): Report {
  return play([...tunnelTime, ...steps], { ...options, more: { crypto: platformCrypto, ...options.more } })
}

describe('dns-leak-encrypted raises', () => {
  test.each([
    [
      'DoT by port',
      tls({ port: 853 }),
      { transport: 'dot', confidence: 'strong', severity: 'critical', basis: 'RFC 7858 3.1' },
    ],
    [
      'DoT by ALPN on another port',
      tls({ alpns: ['dot'] }),
      { transport: 'dot', confidence: 'proven', severity: 'critical' },
    ],
    ['DoQ by port', quic({ port: 853 }), { transport: 'doq', confidence: 'strong', severity: 'critical' }],
    [
      'DoQ by ALPN on another port',
      quic({ alpns: ['doq'], port: 8853 }),
      { transport: 'doq', confidence: 'proven', severity: 'critical' },
    ],
    [
      'DoH by name',
      tls({ sni: 'dns.quad9.net', alpns: ['h2'] }),
      { transport: 'doh', confidence: 'strong', severity: 'critical' },
    ],
    [
      'DoH by a name below a known one, in capitals',
      tls({ sni: 'abc123.DNS.nextdns.io' }),
      { transport: 'doh', confidence: 'strong' },
    ],
    [
      'DoH over HTTP/3 by name',
      quic({ sni: 'cloudflare-dns.com', alpns: ['h3'] }),
      { transport: 'doh', confidence: 'strong' },
    ],
    [
      'DoH by address alone',
      tls({ to: KNOWN_ADDRESS }),
      { transport: 'doh', confidence: 'probable', severity: 'warning', basis: 'heuristic' },
    ],
  ] as const)('%s', (_, steps, expected) => {
    const made = report(steps)
    const { severity, confidence, basis, transport } = expected as Record<string, string>
    const [finding, ...others] = findingsOf(made, 'dns-leak-encrypted')
    expect(others).toEqual([])
    expect(finding).toMatchObject({
      confidence,
      interface: 'eth0',
      count: 1,
      ...(severity && { severity }),
      ...(basis && { basis }),
    })
    expect(finding!.data).toMatchObject({ transport, server: made.leaks[0]!.server })
    expect(made.leaks).toMatchObject([{ name: null, type: null, transport, interface: 'eth0', count: 1 }])
    expect(made.resolvers.find((one) => one.transport === transport)).toMatchObject({ side: 'outside', queries: 1 })
    expect(made.verdict).toMatchObject({ dns: 'mixed', coverage: { questionsOutside: 1, questionsInTunnel: 2 } })
  })

  test('several connections to one resolver are one leak and one finding, counted', () => {
    const made = report([1000, 2000, 3000].flatMap((atMillis) => tls({ atMillis, port: 853, sni: 'resolver.example' })))
    expect(made.leaks).toMatchObject([{ server: SERVER, port: 853, transport: 'dot', count: 3 }])
    const [finding] = findingsOf(made, 'dns-leak-encrypted')
    expect(finding!.filter).toBe(`frame.interface_name == "eth0" && ip.addr == ${SERVER} && tcp.port == 853`)
    expect(finding).toMatchObject({ count: 3, data: { host: 'resolver.example' } })
    expect(finding!.summary).toContain(
      `3 DNS over TLS connections left outside the tunnel on eth0 to resolver.example (${SERVER})`,
    )
  })

  test('a resolver that the operator names, by name and by address', () => {
    const byName = report(tls({ sni: 'doh.corp.example' }), { more: { encryptedResolvers: ['doh.corp.example'] } })
    expect(findingsOf(byName, 'dns-leak-encrypted')).toMatchObject([{ confidence: 'proven' }])
    const byAddress = report(tls({ sni: 'www.corp.example' }), { more: { encryptedResolvers: [SERVER] } })
    expect(findingsOf(byAddress, 'dns-leak-encrypted')).toMatchObject([{ confidence: 'strong' }])
  })

  test('a resolver whose own name was looked up just before, without the name in its hello', () => {
    const answers = [{ type: 'A' as const, name: 'dns.google', ttl: 60, data: SERVER }]
    const made = report([
      ...lookup({ on: 'wg0', atMillis: 500, name: 'dns.google', answeredAfter: 5, answers }),
      ...tls({ atMillis: 1000 }),
    ])
    expect(findingsOf(made, 'dns-leak-encrypted')).toMatchObject([{ confidence: 'strong', basis: 'RFC 9462 4' }])
  })

  test('a resolver that discovery announced (RFC 9462): _dns.resolver.arpa SVCB with an address hint', () => {
    const made = report([...discovery(500), ...tls({ atMillis: 1000, sni: 'ddr.example' })])
    expect(findingsOf(made, 'dns-leak-encrypted')).toMatchObject([{ confidence: 'strong', data: { transport: 'doh' } }])
  })

  test('IPv6 around a tunnel that carries IPv4 only', () => {
    const made = report(tls({ to: SERVER_V6, port: 853 }))
    expect(findingsOf(made, 'dns-leak-encrypted')).toMatchObject([{ cause: 'v6-bypass' }])
  })

  test('a resolver on the LAN', () => {
    expect(findingsOf(report(tls({ to: LAN_RESOLVER, port: 853 })), 'dns-leak-encrypted')).toMatchObject([
      { cause: 'lan-forwarder' },
    ])
  })

  test('DNSCrypt by the marker of its answers', () => {
    const clientPort = nextPort++
    const answer = new Uint8Array(120).fill(0x77)
    answer.set(new TextEncoder().encode('r6fnvWj8'))
    const made = report([
      {
        on: 'eth0',
        atMillis: 1000,
        outgoing: true,
        ip: ip(LAN_CLIENT, SERVER, 17, udp(clientPort, 5443, new Uint8Array(300).fill(9))),
      },
      { on: 'eth0', atMillis: 1020, outgoing: false, ip: ip(SERVER, LAN_CLIENT, 17, udp(5443, clientPort, answer)) },
    ])
    expect(made.leaks).toMatchObject([{ transport: 'dnscrypt', server: SERVER, port: 5443 }])
  })

  test('DNS over DTLS on its port (RFC 8094)', () => {
    const hello = new Uint8Array(100)
    hello.set([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 87, 1])
    const made = report([
      { on: 'eth0', atMillis: 1000, outgoing: true, ip: ip(LAN_CLIENT, SERVER, 17, udp(nextPort++, 853, hello)) },
    ])
    expect(findingsOf(made, 'dns-leak-encrypted')).toMatchObject([{ basis: 'RFC 8094 3' }])
  })

  test('a DoT connection that was open before the capture began', () => {
    const data = Uint8Array.from([23, 3, 3, 1, 0, ...new Array<number>(256).fill(5)])
    const clientPort = nextPort++
    const made = report([
      {
        on: 'eth0',
        atMillis: 1000,
        outgoing: true,
        ip: ip(LAN_CLIENT, SERVER, 6, tcp(clientPort, 853, data, { seq: 1, flags: 0x18 })),
      },
      {
        on: 'eth0',
        atMillis: 1010,
        outgoing: false,
        ip: ip(SERVER, LAN_CLIENT, 6, tcp(853, clientPort, data, { seq: 1, ack: 262, flags: 0x18 })),
      },
    ])
    expect(findingsOf(made, 'dns-leak-encrypted')).toMatchObject([{ confidence: 'probable', severity: 'warning' }])
  })

  test('when all DNS is encrypted and outside the verdict is a leak', () => {
    const made = play(tls({ port: 853 }), { tunnelUp: [0, 5000] })
    expect(made.verdict.dns).toBe('leak')
    expect(made.epochs.some((epoch) => epoch.verdict.leaked === 1)).toBe(true)
  })
})

describe('dns-leak-encrypted stays quiet', () => {
  test.each([
    ['inside the tunnel', tls({ on: 'wg0', port: 853 })],
    ['after the tunnel was gone', tls({ atMillis: 11_000, port: 853 })],
    ['on an ordinary site', tls({ sni: 'www.example.com', alpns: ['h2'] })],
    ['on a name that only contains a resolver’s', tls({ sni: 'notdns.google.example' })],
    ['on a refused connection to port 853', tls({ port: 853 }).slice(0, 1)],
    [
      'on a resolver’s name looked up after the connection',
      [
        ...tls({ atMillis: 1000 }),
        ...lookup({
          on: 'wg0',
          atMillis: 2000,
          name: 'dns.google',
          answeredAfter: 5,
          answers: [{ type: 'A', name: 'dns.google', ttl: 60, data: SERVER }],
        }),
      ],
    ],
  ] as const)('%s', (_, steps) => {
    const made = report(steps)
    expect(findingsOf(made, 'dns-leak-encrypted')).toEqual([])
    expect(made.leaks).toEqual([])
    expect(made.verdict.dns).toBe('ok')
  })

  test('inside the tunnel it counts as inside', () => {
    expect(report(tls({ on: 'wg0', port: 853 })).verdict.coverage).toMatchObject({
      questionsInTunnel: 3,
      questionsOutside: 0,
    })
  })

  test('towards the VPN’s own server', () => {
    const made = report(tls({ port: 853 }), { more: { endpoints: [`${SERVER}:853`] } })
    expect(findingsOf(made, 'dns-leak-encrypted')).toEqual([])
    expect(made.verdict.dns).toBe('ok')
  })

  test('without a tunnel', () => {
    const made = play(tls({ port: 853 }))
    expect(made.verdict.dns).toBe('no-tunnel')
    expect(made.findings.filter((one) => one.severity !== 'info')).toEqual([])
  })
})

/** The question that a system asks its resolver to find encrypted ones, and an answer with a hint. */
function discovery(atMillis: number): Step[] {
  const name = '_dns.resolver.arpa'
  const target = [3, ...new TextEncoder().encode('ddr'), 7, ...new TextEncoder().encode('example'), 0]
  const parameters = [0, 1, 0, 3, 2, 0x68, 0x32, 0, 4, 0, 4, ...SERVER.split('.').map(Number)]
  const data = Buffer.from([0, 1, ...target, ...parameters])
  const message = {
    type: 'response',
    id: 77,
    questions: [{ type: 'UNKNOWN_64', name }],
    answers: [{ type: 'UNKNOWN_64', name, ttl: 60, data }],
  }
  const question = encode({ ...message, type: 'query', answers: [] } as unknown as Packet)
  const answer = encode(message as unknown as Packet)
  const port = nextPort++
  return [
    { on: 'wg0', atMillis, outgoing: true, ip: ip(TUNNEL_CLIENT, '10.64.0.1', 17, udp(port, 53, question)) },
    {
      on: 'wg0',
      atMillis: atMillis + 5,
      outgoing: false,
      ip: ip('10.64.0.1', TUNNEL_CLIENT, 17, udp(53, port, answer)),
    },
  ]
}
