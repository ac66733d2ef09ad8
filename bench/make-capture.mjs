// Makes a large classic pcap for throughput measurements: seeded, any size, a plausible mix of traffic.
//   node bench/make-capture.mjs OUT.pcap [--mb 1000] [--mix web|dns] [--seed 1]
// web: bulk TLS, QUIC, HTTP, some DNS, IPv6 and VLAN among it. dns: four of five packets are DNS.
import { closeSync, openSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const FLUSH_LEN = 8 << 20
const START_SECONDS = Date.UTC(2026, 0, 15, 12) / 1000
const SYN = 0x02
const ACK = 0x10
const PSH_ACK = 0x18
const FIN_ACK = 0x11

/** Connections open at the same time; a busy machine's figure. */
const OPEN_CONNECTIONS = 2000
const NAMES = 20_000

/** Writes the capture and gives `{packets, bytes}`. */
export function makeCapture(path, { megabytes, mix = 'web', seed = 1 }) {
  const random = createRandom(seed)
  const out = createPcapWriter(path)
  const targetLen = megabytes * 1e6
  const dnsShare = mix === 'dns' ? 0.82 : 0.02
  const connections = Array.from({ length: OPEN_CONNECTIONS }, () => newConnection(random))
  while (out.bytes < targetLen) {
    if (random() < dnsShare) lookUp(out, random)
    else {
      const index = Math.floor(random() * OPEN_CONNECTIONS)
      if (!step(out, random, connections[index])) connections[index] = newConnection(random)
    }
  }
  out.close()
  return { packets: out.packets, bytes: out.bytes }
}

function newConnection(random) {
  const kind = random()
  return {
    kind: kind < 0.7 ? 'tls' : kind < 0.85 ? 'quic' : 'http',
    version: random() < 0.2 ? 6 : 4,
    vlan: random() < 0.05 ? 100 + Math.floor(random() * 20) : 0,
    client: Math.floor(random() * 200),
    server: Math.floor(random() * 60_000),
    port: 32_768 + Math.floor(random() * 28_000),
    name: Math.floor(random() * NAMES),
    clientSeq: Math.floor(random() * 2 ** 32),
    serverSeq: Math.floor(random() * 2 ** 32),
    state: 0,
    // Most connections are short, some are downloads.
    left: random() < 0.9 ? 2 + Math.floor(random() * 20) : 200 + Math.floor(random() * 2000),
  }
}

/** Writes the connection's next packets; false when it has ended. */
function step(out, random, connection) {
  if (connection.kind === 'quic') {
    const up = connection.state % 8 === 0
    writeIp(out, connection, up, 17, 8 + (up && connection.state > 0 ? 60 : 1240), random)
    connection.state++
    return connection.left-- > 0
  }
  switch (connection.state++) {
    case 0:
      writeTcp(out, connection, true, SYN, null, 0)
      writeTcp(out, connection, false, SYN | ACK, null, 0)
      writeTcp(out, connection, true, ACK, null, 0)
      return true
    case 1: {
      const first = connection.kind === 'tls' ? clientHello(connection.name) : request(connection.name)
      writeTcp(out, connection, true, PSH_ACK, first, first.length)
      return true
    }
    case 2: {
      const first = connection.kind === 'tls' ? SERVER_HELLO : RESPONSE
      writeTcp(out, connection, false, PSH_ACK, first, first.length)
      return true
    }
    default:
      if (connection.left-- > 0) {
        writeTcp(out, connection, false, ACK, NOISE, 1400)
        if (connection.left % 2 === 0) writeTcp(out, connection, true, ACK, null, 0)
        return true
      }
      writeTcp(out, connection, true, FIN_ACK, null, 0)
      writeTcp(out, connection, false, FIN_ACK, null, 0)
      return false
  }
}

function lookUp(out, random) {
  const name = questionName(Math.floor(random() * NAMES))
  const id = Math.floor(random() * 65_536)
  const link = {
    version: random() < 0.2 ? 6 : 4,
    vlan: 0,
    client: Math.floor(random() * 200),
    server: 53,
    port: 32_768 + Math.floor(random() * 28_000),
  }
  const query = Buffer.concat([dnsHeader(id, 0x0100, 0), name, Buffer.from([0, 1, 0, 1])])
  const answer = [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 203, 0, 113, id & 0xff]
  const reply = Buffer.concat([dnsHeader(id, 0x8180, 1), query.subarray(12), Buffer.from(answer)])
  writeUdp(out, link, true, query)
  if (random() < 0.99) writeUdp(out, link, false, reply)
}

function dnsHeader(id, flags, answers) {
  return Buffer.from([id >> 8, id & 0xff, flags >> 8, flags & 0xff, 0, 1, 0, answers, 0, 0, 0, 0])
}

function questionName(number) {
  const label = `host${number}`
  return Buffer.concat([Buffer.from([label.length]), Buffer.from(label), Buffer.from('\x07example\x03com\0', 'latin1')])
}

function writeTcp(out, connection, up, flags, payload, payloadLen) {
  const [src, dst] = up ? [connection.port, portOf(connection)] : [portOf(connection), connection.port]
  const at = writeHeaders(out, connection, up, 6, 20 + payloadLen)
  const { buffer } = out
  buffer.writeUInt16BE(src, at)
  buffer.writeUInt16BE(dst, at + 2)
  buffer.writeUInt32BE(up ? connection.clientSeq : connection.serverSeq, at + 4)
  buffer.writeUInt32BE(flags === SYN ? 0 : up ? connection.serverSeq : connection.clientSeq, at + 8)
  buffer[at + 12] = 0x50
  buffer[at + 13] = flags
  buffer.writeUInt32BE(0xffff0000, at + 14)
  if (payload !== null) payload.copy(buffer, at + 20, 0, payloadLen)
  const length = payloadLen + (flags === SYN || flags === (SYN | ACK) || flags === FIN_ACK ? 1 : 0)
  if (up) connection.clientSeq = (connection.clientSeq + length) >>> 0
  else connection.serverSeq = (connection.serverSeq + length) >>> 0
}

function portOf(connection) {
  return connection.kind === 'http' ? 80 : 443
}

/** A UDP packet of QUIC's shape: a long header first, then short ones; the rest is noise. */
function writeIp(out, connection, up, protocol, length, random) {
  const at = writeHeaders(out, connection, up, protocol, length)
  const [src, dst] = up ? [connection.port, 443] : [443, connection.port]
  out.buffer.writeUInt16BE(src, at)
  out.buffer.writeUInt16BE(dst, at + 2)
  out.buffer.writeUInt16BE(length, at + 4)
  out.buffer.writeUInt16BE(0xffff, at + 6)
  NOISE.copy(out.buffer, at + 8, 0, length - 8)
  out.buffer[at + 8] = connection.state === 0 ? 0xc0 : 0x40 | Math.floor(random() * 64)
}

function writeUdp(out, link, up, payload) {
  const at = writeHeaders(out, link, up, 17, 8 + payload.length)
  const [src, dst] = up ? [link.port, 53] : [53, link.port]
  out.buffer.writeUInt16BE(src, at)
  out.buffer.writeUInt16BE(dst, at + 2)
  out.buffer.writeUInt16BE(8 + payload.length, at + 4)
  out.buffer.writeUInt16BE(0xffff, at + 6)
  payload.copy(out.buffer, at + 8)
}

/** Record, Ethernet, VLAN and IP headers; gives the offset where the transport header belongs. */
function writeHeaders(out, { version, vlan, client, server }, up, protocol, transportLen) {
  const ipLen = (version === 6 ? 40 : 20) + transportLen
  const frameLen = 14 + (vlan > 0 ? 4 : 0) + ipLen
  const { buffer } = out
  let at = out.record(frameLen)
  buffer.write(up ? '02005e00530102005e005310' : '02005e00531002005e005301', at, 'hex')
  at += 12
  if (vlan > 0) {
    buffer.writeUInt32BE(0x81000000 + vlan, at)
    at += 4
  }
  buffer.writeUInt16BE(version === 6 ? 0x86dd : 0x0800, at)
  at += 2
  if (version === 6) {
    buffer.writeUInt32BE(0x60000000, at)
    buffer.writeUInt16BE(transportLen, at + 4)
    buffer[at + 6] = protocol
    buffer[at + 7] = 64
    writeAddress6(buffer, at + (up ? 8 : 24), 1, client)
    writeAddress6(buffer, at + (up ? 24 : 8), 2, server)
    return at + 40
  }
  buffer.writeUInt32BE(0x45000000 + ipLen, at)
  buffer.writeUInt32BE(0x00004000, at + 4)
  buffer.writeUInt32BE(0x40000000 + (protocol << 16), at + 8)
  buffer.writeUInt32BE(0xc0000200 + client, at + (up ? 12 : 16))
  buffer.writeUInt32BE((0xc6120000 + server) >>> 0, at + (up ? 16 : 12))
  let sum = 0
  for (let word = 0; word < 20; word += 2) sum += buffer.readUInt16BE(at + word)
  sum = (sum & 0xffff) + (sum >>> 16)
  buffer.writeUInt16BE(~(sum + (sum >>> 16)) & 0xffff, at + 10)
  return at + 20
}

function writeAddress6(buffer, at, net, host) {
  buffer.writeUInt32BE(0x20010db8, at)
  buffer.writeUInt32BE(net, at + 4)
  buffer.writeUInt32BE(0, at + 8)
  buffer.writeUInt32BE(host, at + 12)
}

function createPcapWriter(path) {
  const fd = openSync(path, 'w')
  const buffer = Buffer.alloc(FLUSH_LEN + 65_536)
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(262_144, 16)
  header.writeUInt32LE(1, 20)
  writeSync(fd, header)
  let at = 0
  const writer = {
    buffer,
    bytes: 24,
    packets: 0,
    /** Begins a record and gives the offset of the frame in `buffer`; the caller fills exactly frameLen bytes. */
    record(frameLen) {
      if (at > FLUSH_LEN) {
        writeSync(fd, buffer, 0, at)
        at = 0
      }
      // 50,000 packets a second.
      const micros = writer.packets * 20
      buffer.writeUInt32LE(START_SECONDS + Math.floor(micros / 1e6), at)
      buffer.writeUInt32LE(micros % 1e6, at + 4)
      buffer.writeUInt32LE(frameLen, at + 8)
      buffer.writeUInt32LE(frameLen, at + 12)
      const frameAt = at + 16
      at = frameAt + frameLen
      writer.packets++
      writer.bytes += 16 + frameLen
      return frameAt
    },
    close() {
      writeSync(fd, buffer, 0, at)
      closeSync(fd)
    },
  }
  return writer
}

function createRandom(seed) {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const NOISE = Buffer.alloc(1500)
for (let at = 0, random = createRandom(7); at < NOISE.length; at++) NOISE[at] = random() * 256

function clientHello(name) {
  const host = Buffer.from(`host${name}.example.com`)
  const sni = Buffer.concat([
    u16(0),
    u16(host.length + 5),
    u16(host.length + 3),
    Buffer.from([0]),
    u16(host.length),
    host,
  ])
  const alpn = Buffer.from([0, 16, 0, 5, 0, 3, 2, 0x68, 0x32])
  const versions = Buffer.from([0, 43, 0, 3, 2, 3, 4])
  const extensions = Buffer.concat([sni, alpn, versions])
  const fixed = Buffer.concat([Buffer.from([3, 3]), NOISE.subarray(0, 32), Buffer.from([0, 0, 2, 0x13, 1, 1, 0])])
  const body = Buffer.concat([fixed, u16(extensions.length), extensions])
  const handshake = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body])
  return Buffer.concat([Buffer.from([22, 3, 1]), u16(handshake.length), handshake])
}

function request(name) {
  return Buffer.from(`GET /item/${name} HTTP/1.1\r\nHost: host${name}.example.com\r\nUser-Agent: bench\r\n\r\n`)
}

function u16(value) {
  return Buffer.from([value >> 8, value & 0xff])
}

/** TLS 1.3 ServerHello in its record, then the first encrypted record's head. */
const SERVER_HELLO = Buffer.concat([
  Buffer.from([22, 3, 3, 0, 50, 2, 0, 0, 46, 3, 3]),
  NOISE.subarray(32, 64),
  Buffer.from([0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]),
  Buffer.from([23, 3, 3, 0x40, 0]),
  NOISE.subarray(0, 1200),
])
const RESPONSE = Buffer.from('HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Length: 100000000\r\n\r\n')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      mb: { type: 'string', default: '1000' },
      mix: { type: 'string', default: 'web' },
      seed: { type: 'string', default: '1' },
    },
  })
  const [path] = positionals
  if (path === undefined) {
    console.error('usage: node bench/make-capture.mjs OUT.pcap [--mb 1000] [--mix web|dns] [--seed 1]')
    process.exit(2)
  }
  const made = makeCapture(path, { megabytes: Number(values.mb), mix: values.mix, seed: Number(values.seed) })
  console.log(`${path}: ${made.packets} packets, ${made.bytes} bytes`)
}
