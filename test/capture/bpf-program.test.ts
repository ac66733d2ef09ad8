// The machine itself, by hand-made programs; that real expressions mean what tcpdump means is in packet-filter.test.ts.
import { BpfProgram } from '../../src/capture/bpf-program.ts'

type Instruction = [code: number, yes: number, no: number, k: number]

function program(...instructions: Instruction[]): BpfProgram {
  const view = new DataView(new ArrayBuffer(instructions.length * 8))
  for (const [index, [code, yes, no, k]] of instructions.entries()) {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, yes)
    view.setUint8(index * 8 + 3, no)
    view.setUint32(index * 8 + 4, k, true)
  }
  return new BpfProgram(new Uint8Array(view.buffer))
}

/** The packet lies behind three bytes of others, and others follow it. */
const PACKET = Uint8Array.of(9, 9, 9, 0x45, 0xff, 0x80, 0x01, 0x02, 9, 9, 9, 9)
const accepts = (one: BpfProgram, wireLen = 5) => one.accepts(PACKET, 3, 5, wireLen)

const RETURN_A: Instruction = [0x16, 0, 0, 0]
/** Accepts when A equals `k`. */
const isA = (k: number): Instruction[] => [
  [0x15, 0, 1, k],
  [0x06, 0, 0, 1],
  [0x06, 0, 0, 0],
]
const constant = (k: number): Instruction => [0x00, 0, 0, k]
const toX = (k: number): Instruction => [0x01, 0, 0, k]

test.each<[string, Instruction[], number]>([
  ['a word, unsigned', [[0x20, 0, 0, 1]], 0xff800102],
  ['a half word', [[0x28, 0, 0, 2]], 0x8001],
  ['a byte', [[0x30, 0, 0, 4]], 2],
  ['a word behind X', [toX(1), [0x40, 0, 0, 0]], 0xff800102],
  ['a half word behind X', [toX(2), [0x48, 0, 0, 1]], 0x0102],
  ['a byte behind X', [toX(2), [0x50, 0, 0, 2]], 2],
  ['the length on the wire', [[0x80, 0, 0, 0]], 5],
  [
    'the length on the wire, to X',
    [
      [0x81, 0, 0, 0],
      [0x87, 0, 0, 0],
    ],
    5,
  ],
  [
    'the header length of IPv4, to X',
    [
      [0xb1, 0, 0, 0],
      [0x87, 0, 0, 0],
    ],
    20,
  ],
  ['memory', [constant(7), [0x02, 0, 0, 15], constant(1), [0x60, 0, 0, 15]], 7],
  ['memory, by X', [toX(7), [0x03, 0, 0, 0], toX(1), [0x61, 0, 0, 0], [0x87, 0, 0, 0]], 7],
  ['A to X and back', [constant(7), [0x07, 0, 0, 0], constant(1), [0x87, 0, 0, 0]], 7],
  ['a sum of 32 bits', [constant(0xffffffff), [0x04, 0, 0, 2]], 1],
  ['a difference of 32 bits', [constant(1), [0x14, 0, 0, 2]], 0xffffffff],
  ['a product of 32 bits', [constant(0xffffffff), [0x24, 0, 0, 0xffffffff]], 1],
  ['a quotient, unsigned', [constant(0xfffffffe), toX(2), [0x3c, 0, 0, 0]], 0x7fffffff],
  ['a remainder, unsigned', [constant(0xffffffff), [0x94, 0, 0, 16]], 15],
  ['or', [constant(0x80000000), [0x44, 0, 0, 1]], 0x80000001],
  ['and', [constant(0xffffffff), [0x54, 0, 0, 0x80000001]], 0x80000001],
  ['exclusive or', [constant(0xffffffff), [0xa4, 0, 0, 1]], 0xfffffffe],
  ['a shift to the left', [constant(3), [0x64, 0, 0, 31]], 0x80000000],
  ['a shift to the right, unsigned', [constant(0xffffffff), [0x74, 0, 0, 28]], 15],
  ['a shift by more than there is', [constant(3), toX(32), [0x6c, 0, 0, 0]], 0],
  ['the negative', [constant(1), [0x84, 0, 0, 0]], 0xffffffff],
  ['a jump over one', [constant(1), [0x05, 0, 0, 1], constant(2)], 1],
])('%s', (_, instructions, result) => {
  expect(accepts(program(...instructions, ...isA(result)))).toBe(true)
  expect(accepts(program(...instructions, ...isA((result ^ 1) >>> 0)))).toBe(false)
})

test.each<[string, number, number, number, boolean]>([
  ['equal', 0x15, 0xffffffff, 0xffffffff, true],
  ['greater, unsigned', 0x25, 0xffffffff, 1, true],
  ['greater, of the same', 0x25, 1, 1, false],
  ['greater or equal', 0x35, 1, 1, true],
  ['greater or equal, of less', 0x35, 1, 0x80000000, false],
  ['a bit in common', 0x45, 0x80000001, 0x80000000, true],
  ['no bit in common', 0x45, 6, 9, false],
])('a jump when %s, by the constant and by X', (_, code, a, k, result) => {
  const ends: Instruction[] = [
    [0x06, 0, 0, 1],
    [0x06, 0, 0, 0],
  ]
  expect(accepts(program(constant(a), [code, 0, 1, k], ...ends))).toBe(result)
  expect(accepts(program(constant(a), toX(k), [code | 8, 0, 1, 0], ...ends))).toBe(result)
})

test('a load behind what was captured, or a division by zero, rejects the packet', () => {
  const accept: Instruction = [0x06, 0, 0, 1]
  for (const [code, last] of [
    [0x20, 1],
    [0x28, 3],
    [0x30, 4],
    [0xb1, 4],
  ] as const) {
    expect(accepts(program([code, 0, 0, last], accept))).toBe(true)
    expect(accepts(program([code, 0, 0, last + 1], accept))).toBe(false)
    expect(accepts(program(toX(0xffffffff), [code === 0xb1 ? code : code + 0x20, 0, 0, last + 1], accept))).toBe(false)
  }
  expect(accepts(program(constant(1), [0x34, 0, 0, 0], accept))).toBe(false)
  expect(accepts(program(constant(1), [0x94, 0, 0, 0], accept))).toBe(false)
})

test('the result is A where it is asked for', () => {
  expect(accepts(program(constant(1), RETURN_A))).toBe(true)
  expect(accepts(program(constant(0), RETURN_A))).toBe(false)
})

test.each<[string, Instruction[], RegExp]>([
  ['no instruction', [], /is empty/],
  ['no return at the end', [constant(1)], /does not end with a return/],
  ['a jump out', [[0x15, 1, 0, 0], RETURN_A], /instruction 0 jumps out/],
  ['a jump to before', [[0x05, 0, 0, 0xfffffffe], RETURN_A], /instruction 0 jumps out/],
  ['scratch memory that is not there', [[0x02, 0, 0, 16], RETURN_A], /no such scratch word: 16/],
  ['what the kernel knows', [[0x28, 0, 0, 0xfffff004], RETURN_A], /only at the moment of capture/],
])('%s is refused', (_, instructions, words) => {
  expect(() => program(...instructions)).toThrow(words)
})
