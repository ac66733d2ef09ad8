// A resolver for tests, on ADDRESS: `resolver.mjs ADDRESS ANSWER`. The first label of the name says how it behaves.
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const [address, answer] = process.argv.slice(2)
const MANY = 500

function reply(query, { rcode = 0, flags = 0, addresses = [answer], id } = {}) {
  const nameEnd = query.indexOf(0, 12) + 1
  const isA = query.readUInt16BE(nameEnd) === 1
  const records = isA ? addresses : []
  const head = Buffer.from(query.subarray(0, nameEnd + 4))
  head.writeUInt16BE(id ?? query.readUInt16BE(0), 0)
  head.writeUInt16BE(0x8180 | flags | rcode, 2)
  head.writeUInt16BE(records.length, 6)
  head.writeUInt16BE(0, 8)
  head.writeUInt16BE(0, 10)
  const body = records.map((one) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...one.split('.').map(Number)]),
  )
  return Buffer.concat([head, ...body])
}

function labelOf(query) {
  return query.toString('latin1', 13, 13 + query[12])
}

const socket = createSocket('udp4')
const other = createSocket('udp4').bind(0, address)
socket.on('message', (query, from) => {
  const send = (bytes, by = socket) => by.send(bytes, from.port, from.address)
  const id = query.readUInt16BE(0)
  switch (labelOf(query)) {
    case 'silent':
      return
    case 'many':
      return send(reply(query, { addresses: Array.from({ length: MANY }, (_, at) => `198.51.${at >> 8}.${at & 255}`) }))
    case 'wrongid':
      for (let more = 1; more < 200; more++)
        send(reply(query, { id: (id + more) & 0xffff, addresses: ['198.51.100.66'] }))
      return
    case 'wrongport':
      return send(reply(query, { addresses: ['198.51.100.66'] }), other)
    case 'late':
      send(reply(query, { id: (id + 1) & 0xffff, addresses: ['198.51.100.66'] }))
      return setTimeout(() => send(reply(query)), 50)
    case 'garbage':
      return send(Buffer.alloc(600, 0xff))
    case 'long':
      return send(reply(query, { flags: 0x0200, addresses: [] }))
    case 'longsilent':
      return send(reply(query, { flags: 0x0200, addresses: [answer] }))
    case 'missing':
      return send(reply(query, { rcode: 3, addresses: [] }))
    case 'here':
      return send(reply(query, { addresses: ['127.0.0.1'] }))
    case 'ours':
      return send(reply(query, { addresses: [from.address] }))
    default:
      return send(reply(query))
  }
})

/** Over TCP byte by byte; `longsilent` takes the connection and says nothing. */
createServer((client) => {
  client.on('error', () => {})
  client.once('data', (framed) => {
    const query = framed.subarray(2)
    if (labelOf(query) === 'longsilent') return
    const bytes = reply(query)
    const whole = Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
    for (const byte of whole) client.write(Buffer.from([byte]))
  })
}).listen(53, address)
socket.bind(53, address, () => console.log('listening'))
