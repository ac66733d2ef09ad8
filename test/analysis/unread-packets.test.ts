// What cannot be read cannot be judged: link types that nobody here knows, Wi-Fi frames that are not open. The verdict says so.
import type { Bytes } from '../decoders/build-packet.ts'
import { concat } from '../decoders/build-packet.ts'
import { play, type Step } from './scenario.ts'

const IP_OVER_INFINIBAND = 242
const WIFI = 105

function verdictOf(linkType: number, packets: readonly Bytes[]) {
  const steps = packets.map((ip, index): Step => ({ atMillis: index, on: 'if0', ip, outgoing: true }))
  const { verdict, inputs } = play(steps, { interfaces: [{ name: 'if0', linkType }] })
  const { role, reasons } = inputs[0]!.interfaces[0]!
  return { verdict: [verdict.dns, verdict.complete, verdict.reasons], role, reasons }
}

const wifi = (subtype: number, flags: number) =>
  concat([subtype, flags, 0, 0], new Uint8Array(20), [0xaa, 0xaa, 3, 0, 0, 0, 0x88, 0xcc, 0, 0])

test('a capture without a packet is never complete', () => {
  expect(verdictOf(WIFI, []).verdict).toEqual(['no-tunnel', false, ['No packet was captured.']])
})

test('a link type that is not known', () => {
  expect(verdictOf(IP_OVER_INFINIBAND, [new Uint8Array(64), new Uint8Array(64)])).toEqual({
    verdict: ['no-tunnel', false, ['2 of 2 packets on if0 could not be read: link type 242 is not known here.']],
    role: 'unknown',
    reasons: ['link type 242, not read'],
  })
})

test('encrypted Wi-Fi; what is open, and what never holds a packet, is no loss', () => {
  const open = wifi(0x08, 1)
  const beacon = wifi(0x80, 0)
  expect(verdictOf(WIFI, [open, beacon]).verdict).toEqual(['no-tunnel', true, []])
  expect(verdictOf(WIFI, [open, wifi(0x08, 0x41), beacon]).verdict).toEqual([
    'no-tunnel',
    false,
    ['1 of 3 packets on if0 could not be read: Wi-Fi frames that are encrypted, damaged or in pieces.'],
  ])
})
