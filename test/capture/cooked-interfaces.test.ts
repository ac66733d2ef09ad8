// An all-interface capture becomes one interface per index (SLL2) or hardware type (SLL), with roles and directions.

import { decideRoles } from '../../src/analysis/roles.ts'
import { splitCooked } from '../../src/capture/cooked-interfaces.ts'
import type { CaptureSource } from '../../src/capture/source.ts'
import type { CaptureInterface } from '../../src/model/capture-interface.ts'
import { DIRECTION_IN, DIRECTION_OUT } from '../../src/model/packet-batch.ts'
import { batchOf, be16, be32, concat } from '../decoders/build-packet.ts'

const SLL = 113
const SLL2 = 276

/** https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html */
function sll2(index: number, hardwareType: number, packetType: number) {
  return concat(
    be16(0x0800),
    be16(0),
    be32(index),
    be16(hardwareType),
    packetType,
    6,
    new Uint8Array(8),
    new Uint8Array(20),
  )
}

/** https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html */
function sll(hardwareType: number, packetType: number) {
  return concat(be16(packetType), be16(hardwareType), be16(6), new Uint8Array(8), be16(0x0800), new Uint8Array(20))
}

function sourceOf(linkTypes: number[], packets: { bytes: Uint8Array; interfaceId: number }[]): CaptureSource {
  const interfaces = linkTypes.map(
    (linkType, id): CaptureInterface => ({
      id,
      inputIndex: 0,
      inputName: 'any.pcap',
      linkType,
      snapLen: 0,
      addresses: [],
      statistics: { startMicros: 1, endMicros: 2, dropped: 7 },
    }),
  )
  const batch = batchOf(packets.map((one) => ({ ...one, linkType: linkTypes[one.interfaceId]! })))
  let given = false
  return {
    interfaces,
    inputs: [],
    annex: { tlsKeyLogs: [], names: [] },
    async next() {
      if (given) return undefined
      given = true
      return batch
    },
    async close() {},
  }
}

test('one interface per index, named by it, with its role by the hardware type', async () => {
  const packets = [sll2(2, 1, 4), sll2(5, 65_534, 4), sll2(2, 1, 0), sll2(1, 772, 4), sll2(5, 65_534, 0)]
  const source = splitCooked(
    sourceOf(
      [SLL2],
      packets.map((bytes) => ({ bytes, interfaceId: 0 })),
    ),
  )
  const batch = (await source.next())!
  expect([...batch.interfaceId.subarray(0, 5)]).toEqual([0, 1, 0, 2, 1])
  expect([...batch.direction.subarray(0, 5)]).toEqual([
    DIRECTION_OUT,
    DIRECTION_OUT,
    DIRECTION_IN,
    DIRECTION_OUT,
    DIRECTION_IN,
  ])
  expect(source.interfaces.map((one) => [one.id, one.name, one.hardwareType])).toEqual([
    [0, 'any#2', 1],
    [1, 'any#5', 65_534],
    [2, 'any#1', 772],
  ])
  const roles = decideRoles(source.interfaces, { tunnels: [], physicals: [] }, () => undefined)
  expect(roles.map((one) => one.role)).toEqual(['physical', 'tunnel', 'loopback'])
})

test('the older header has no index: one interface per hardware type', async () => {
  const packets = [sll(1, 4), sll(65_534, 4), sll(1, 0)]
  const source = splitCooked(
    sourceOf(
      [SLL],
      packets.map((bytes) => ({ bytes, interfaceId: 0 })),
    ),
  )
  const batch = (await source.next())!
  expect([...batch.interfaceId.subarray(0, 3)]).toEqual([0, 1, 0])
  expect(source.interfaces.map((one) => one.name)).toEqual(['any-ethernet', 'any-tunnel'])
})

test('what the whole capture lost is told once, and its times are no part’s times', async () => {
  const packets = [sll2(2, 1, 4), sll2(5, 65_534, 4)]
  const source = splitCooked(
    sourceOf(
      [SLL2],
      packets.map((bytes) => ({ bytes, interfaceId: 0 })),
    ),
  )
  await source.next()
  expect(source.interfaces.map((one) => one.statistics)).toEqual([{ dropped: 7 }, undefined])
})

test('other interfaces are handed on, under new ids when a split one stood before them', async () => {
  const frame = new Uint8Array(60)
  const packets = [
    { bytes: frame, interfaceId: 1 },
    { bytes: sll2(3, 1, 4), interfaceId: 0 },
  ]
  const source = splitCooked(sourceOf([SLL2, 1], packets))
  const batch = (await source.next())!
  expect([...batch.interfaceId.subarray(0, 2)]).toEqual([0, 1])
  expect(source.interfaces.map((one) => [one.id, one.linkType, one.name])).toEqual([
    [0, 1, undefined],
    [1, SLL2, 'any#3'],
  ])
  expect(source.interfaces[0]!.statistics).toEqual({ startMicros: 1, endMicros: 2, dropped: 7 })
})

test('a header that is cut goes to a part of its own', async () => {
  const source = splitCooked(sourceOf([SLL2], [{ bytes: sll2(2, 1, 4).slice(0, 9), interfaceId: 0 }]))
  await source.next()
  expect(source.interfaces.map((one) => [one.name, one.hardwareType])).toEqual([['any-type0', 0]])
})
