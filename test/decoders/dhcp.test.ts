// Leases as RFC 2131, RFC 2132 and RFC 3442 write them; cut and contradictory ones give what is sound, or nothing.
import { readLease } from '../../src/decoders/dhcp.ts'
import { address, be32, concat } from './build-packet.ts'

function option(code: number, ...value: number[]): number[] {
  return [code, value.length, ...value]
}

function message(...options: number[][]): Uint8Array {
  const head = concat([2, 1, 6, 0], new Uint8Array(12), address('192.0.2.10'), new Uint8Array(216))
  return concat(head, be32(0x63825363), options.flat(), 255)
}

const ack = option(53, 5)

function lease(bytes: Uint8Array) {
  return readLease(bytes, 0, bytes.length)
}

test('address, mask, server and domain of an acknowledgement', () => {
  const bytes = message(
    ack,
    option(1, 255, 255, 254, 0),
    option(54, 192, 0, 2, 1),
    option(15, ...Buffer.from('Lan.Example')),
  )
  expect(lease(bytes)).toEqual({
    address: 0xc000020a,
    prefixLen: 23,
    server: 0xc0000201,
    domain: 'lan.example',
    routes: [],
  })
})

test('RFC 3442: the significant octets only, and bits behind the prefix cleared', () => {
  const routes = option(121, 0, 192, 0, 2, 1, 17, 10, 229, 193, 192, 0, 2, 2, 32, 203, 0, 113, 9, 192, 0, 2, 3)
  expect(lease(message(ack, routes))?.routes).toEqual([
    { destination: 0, prefixLen: 0, gateway: 0xc0000201 },
    { destination: 0x0ae58000, prefixLen: 17, gateway: 0xc0000202 },
    { destination: 0xcb007109, prefixLen: 32, gateway: 0xc0000203 },
  ])
})

test('an offer, a request and another cookie are no lease', () => {
  expect(lease(message(option(53, 2)))).toBeUndefined()
  const request = message(ack)
  request[0] = 1
  expect(lease(request)).toBeUndefined()
  const bootp = message(ack)
  bootp[239] = 0
  expect(lease(bootp)).toBeUndefined()
})

test('a mask with holes is no mask, a route beyond its option no route, a domain with other bytes no domain', () => {
  const bytes = message(ack, option(1, 255, 0, 255, 0), option(121, 24, 203, 0), option(15, 0x61, 0x1b, 0x5b))
  expect(lease(bytes)).toMatchObject({ prefixLen: -1, routes: [], domain: '' })
})

test('every length: cut anywhere it reads nothing behind its end', () => {
  const whole = message(ack, option(1, 255, 255, 255, 0), option(121, 24, 203, 0, 113, 192, 0, 2, 1))
  for (let length = 0; length < whole.length; length++) {
    const cut = lease(whole.slice(0, length))
    if (cut === undefined) continue
    expect(length).toBeGreaterThan(242)
    expect(cut.routes.length).toBe(length >= whole.length - 1 ? 1 : 0)
  }
})
