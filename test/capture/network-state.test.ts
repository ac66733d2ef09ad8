// Events as the kernel sends them, also those that say less than they mean; and netlink messages that lie about lengths.
import { type NetworkEvent, parseNetworkEvents } from '../../src/capture/netlink-messages.ts'
import { NetworkState } from '../../src/capture/network-state.ts'
import type { LinkState, NextHop, RouteState } from '../../src/model/network-context.ts'

const hop = (interfaceIndex: number, gateway?: string): NextHop => ({
  interfaceIndex,
  weight: 1,
  ...(gateway === undefined ? {} : { gateway }),
})

function route(nextHops: NextHop[], more: Partial<RouteState> = {}): RouteState {
  const prefix = { family: 6 as const, destination: '::', prefixLen: 0 }
  return { ...prefix, table: 254, priority: 1024, type: 'unicast', scope: 0, protocol: 3, nextHops, ...more }
}

const add = (value: RouteState, replaces = false): NetworkEvent => ({ what: 'route', gone: false, replaces, value })
const remove = (value: RouteState): NetworkEvent => ({ what: 'route', gone: true, replaces: false, value })

function link(up: boolean): LinkState {
  return { index: 2, name: 'eth0', hardwareType: 1, flags: 0, mtu: 1500, up, carrier: up }
}

function stateAfter(...events: NetworkEvent[]): NetworkState {
  const state = new NetworkState()
  for (const event of events) state.apply(event)
  return state
}

test('next hops of one route come one by one, come together, and go one by one', () => {
  const a = hop(2, 'fe80::1')
  const b = hop(3, 'fe80::2')
  const apart = stateAfter(add(route([a])), add(route([b])))
  expect(apart.routes()).toHaveLength(2)
  apart.apply(add(route([a, b])))
  expect(apart.routes()).toEqual([route([a, b])])
  apart.apply(remove(route([a])))
  expect(apart.routes()).toEqual([route([b])])
  apart.apply(remove(route([b])))
  expect(apart.routes()).toEqual([])
})

test('a replacement leaves one route; another metric is another route', () => {
  const state = stateAfter(add(route([hop(2)])), add(route([hop(3)]), true), add(route([hop(4)], { priority: 5 })))
  expect(state.routes().map((one) => one.nextHops[0]!.interfaceIndex)).toEqual([3, 4])
})

test('a link that goes down takes its routes along and asks for a new dump', () => {
  const state = stateAfter(
    { what: 'link', gone: false, value: link(true) },
    add(route([hop(2), hop(3)])),
    add(route([hop(2)], { priority: 9 })),
  )
  expect(state.apply({ what: 'link', gone: false, value: link(true) })).toBe(false)
  expect(state.apply({ what: 'link', gone: false, value: link(false) })).toBe(true)
  expect(state.routes()).toEqual([route([hop(3)])])
  expect(state.apply({ what: 'link', gone: true, value: link(false) })).toBe(false)
  expect(state.links.size).toBe(0)
  expect(state.goneNames.get(2)).toBe('eth0')
})

/** RTM_NEWLINK for "tun7", kind tun, tun type 1. */
function linkMessage(): Uint8Array {
  const attribute = (type: number, value: Buffer) => {
    const head = Buffer.alloc(4)
    head.writeUInt16LE(4 + value.length, 0)
    head.writeUInt16LE(type, 2)
    return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)])
  }
  const info = Buffer.concat([attribute(1, Buffer.from('tun\0')), attribute(2, attribute(3, Buffer.from([1])))])
  const body = Buffer.alloc(16)
  body.writeUInt16LE(65534, 2)
  body.writeInt32LE(42, 4)
  body.writeUInt32LE(0x10041, 8)
  const mtu = Buffer.alloc(4)
  mtu.writeUInt32LE(1420)
  const rest = Buffer.concat([
    body,
    attribute(3, Buffer.from('tun7\0')),
    attribute(4, mtu),
    attribute(18 | 0x8000, info),
  ])
  const head = Buffer.alloc(16)
  head.writeUInt32LE(16 + rest.length, 0)
  head.writeUInt16LE(16, 4)
  return Buffer.concat([head, rest])
}

test('a link message', () => {
  expect(parseNetworkEvents(linkMessage())).toEqual([
    {
      what: 'link',
      gone: false,
      value: {
        index: 42,
        name: 'tun7',
        kind: 'tun',
        tunType: 'tun',
        hardwareType: 65534,
        flags: 0x10041,
        mtu: 1420,
        up: true,
        carrier: true,
      },
    },
  ])
})

test('whatever the bytes say, nothing beyond them is read and nothing is thrown', () => {
  const whole = linkMessage()
  for (let len = 0; len < whole.length; len++) parseNetworkEvents(whole.slice(0, len))
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0, 1, 3, 4, 0x7f, 0xff]) {
      const changed = Uint8Array.from(whole)
      changed[at] = value
      // Types 16 … 33: every kind of message with this body.
      for (const type of [16, 20, 24, 32]) {
        if (at !== 4) changed[4] = type
        expect(parseNetworkEvents(changed).length).toBeLessThanOrEqual(1)
      }
    }
  }
})
