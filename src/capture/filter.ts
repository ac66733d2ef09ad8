// The kernel's packet filter as a classic BPF program: drops what no part of the product reads, cuts bulk TCP, and puts a
// person's own expression in front. It sees packets from their IP header on (a cooked socket).

import { MAX_PACKET_LEN } from '../constants/limits.ts'
import {
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_QINQ,
  ETHERTYPE_VLAN,
  IPPROTO_TCP,
  PORT_DNS,
} from '../constants/wire.ts'
import { OperatorError } from '../model/operator-error.ts'
import { FILTER_INSTRUCTION_LEN } from './ring-layout.ts'

/** A TCP packet longer than this is bulk: handshakes and request heads are shorter. The filter cannot know more. */
export const TCP_CUT_LEN = 2048

/** Operation codes of linux/bpf_common.h, spelled as in the BSD assembler. */
const LD_WORD = 0x20
const LD_HALF = 0x28
const LD_BYTE = 0x30
const LD_LEN = 0x80
const LD_HALF_X = 0x48
const LDX_IP_HEADER_LEN = 0xb1
const JUMP = 0x05
const JUMP_EQ = 0x15
const JUMP_GT = 0x25
const JUMP_SET = 0x45
const AND = 0x54
const RETURN = 0x06
const RETURN_A = 0x16

/** What the kernel knows beside the bytes (linux/filter.h, SKF_AD_OFF + SKF_AD_…). */
const ANCILLARY_PROTOCOL = 0xfffff000
const ANCILLARY_PACKET_TYPE = 0xfffff004
const ANCILLARY_HARDWARE_TYPE = 0xfffff01c

const ARPHRD_LOOPBACK = 772
const PACKET_OUTGOING = 4
const FRAGMENT_OFFSET_MASK = 0x1fff
/** BPF_MAXINSNS. */
const MAX_INSTRUCTIONS = 4096

export interface FilterOptions {
  /** Bytes kept of any packet (-s); TCP is cut at TCP_CUT_LEN in any case. */
  snapLen?: number
  /** A person's compiled expression (compileFilterExpression). */
  expression?: Uint8Array
}

/** A step of a program with jumps to labels: 'next' goes on. */
type Step = { at?: string; code: number; k?: number; yes?: string; no?: string }

/**
 * The whole program, encoded for SO_ATTACH_FILTER in the machine's (little-endian) order.
 * @throws OperatorError `filter-syntax` when the expression is too long or does what a filter for raw IP never does
 */
export function buildCaptureFilter(options: FilterOptions = {}): Uint8Array {
  const own = assemble(productSteps(options.snapLen ?? MAX_PACKET_LEN))
  const program = options.expression === undefined ? own : inFront(options.expression, own)
  if (program.length / FILTER_INSTRUCTION_LEN > MAX_INSTRUCTIONS) {
    throw new OperatorError('filter-syntax', 'the filter expression is too long for the kernel')
  }
  return program
}

function productSteps(snapLen: number): Step[] {
  return [
    // Loopback shows every packet twice: sent and received. The received one is kept.
    { code: LD_WORD, k: ANCILLARY_HARDWARE_TYPE },
    { code: JUMP_EQ, k: ARPHRD_LOOPBACK, yes: 'next', no: 'protocol' },
    { code: LD_WORD, k: ANCILLARY_PACKET_TYPE },
    { code: JUMP_EQ, k: PACKET_OUTGOING, yes: 'drop', no: 'protocol' },
    { at: 'protocol', code: LD_WORD, k: ANCILLARY_PROTOCOL },
    { code: JUMP_EQ, k: ETHERTYPE_IPV4, yes: 'length', no: 'next' },
    { code: JUMP_EQ, k: ETHERTYPE_IPV6, yes: 'length', no: 'next' },
    // With a software VLAN the protocol is the tag's while the data may start at IP already.
    { code: JUMP_EQ, k: ETHERTYPE_VLAN, yes: 'tagged', no: 'next' },
    { code: JUMP_EQ, k: ETHERTYPE_QINQ, yes: 'tagged', no: 'drop' },
    { at: 'tagged', code: LD_BYTE, k: 0 },
    { code: AND, k: 0xf0 },
    { code: JUMP_EQ, k: 0x40, yes: 'length', no: 'next' },
    { code: JUMP_EQ, k: 0x60, yes: 'length', no: 'drop' },
    // Short packets need no look: and beyond this line every load below is within the packet.
    { at: 'length', code: LD_LEN },
    { code: JUMP_GT, k: TCP_CUT_LEN, yes: 'next', no: 'whole' },
    { code: LD_BYTE, k: 0 },
    { code: AND, k: 0xf0 },
    { code: JUMP_EQ, k: 0x40, yes: 'ipv4', no: 'next' },
    { code: JUMP_EQ, k: 0x60, yes: 'ipv6', no: 'whole' },
    { at: 'ipv4', code: LD_BYTE, k: 9 },
    { code: JUMP_EQ, k: IPPROTO_TCP, yes: 'next', no: 'whole' },
    { code: LD_HALF, k: 6 },
    { code: JUMP_SET, k: FRAGMENT_OFFSET_MASK, yes: 'whole', no: 'next' },
    // A long answer of DNS over TCP is no bulk.
    { code: LDX_IP_HEADER_LEN, k: 0 },
    { code: LD_HALF_X, k: 0 },
    { code: JUMP_EQ, k: PORT_DNS, yes: 'whole', no: 'next' },
    { code: LD_HALF_X, k: 2 },
    { code: JUMP_EQ, k: PORT_DNS, yes: 'whole', no: 'cut' },
    { at: 'ipv6', code: LD_BYTE, k: 6 },
    { code: JUMP_EQ, k: IPPROTO_TCP, yes: 'next', no: 'whole' },
    { code: LD_HALF, k: 40 },
    { code: JUMP_EQ, k: PORT_DNS, yes: 'whole', no: 'next' },
    { code: LD_HALF, k: 42 },
    { code: JUMP_EQ, k: PORT_DNS, yes: 'whole', no: 'cut' },
    { at: 'cut', code: RETURN, k: Math.min(TCP_CUT_LEN, snapLen) },
    { at: 'whole', code: RETURN, k: snapLen },
    { at: 'drop', code: RETURN, k: 0 },
  ]
}

function assemble(steps: readonly Step[]): Uint8Array {
  const bytes = new Uint8Array(steps.length * FILTER_INSTRUCTION_LEN)
  const view = new DataView(bytes.buffer)
  const distance = (from: number, label: string | undefined) =>
    label === undefined || label === 'next' ? 0 : steps.findIndex((step) => step.at === label) - from - 1
  steps.forEach((step, index) => {
    const at = index * FILTER_INSTRUCTION_LEN
    view.setUint16(at, step.code, true)
    view.setUint8(at + 2, distance(index, step.yes))
    view.setUint8(at + 3, distance(index, step.no))
    view.setUint32(at + 4, step.k ?? 0, true)
  })
  return bytes
}

/** `expression && own`: where the expression accepts it goes on to `own` instead of returning. */
function inFront(expression: Uint8Array, own: Uint8Array): Uint8Array {
  const program = new Uint8Array(expression.length + own.length)
  program.set(expression)
  program.set(own, expression.length)
  const view = new DataView(program.buffer)
  for (let at = 0; at < expression.length; at += FILTER_INSTRUCTION_LEN) {
    const code = view.getUint16(at, true)
    if (code === RETURN_A) throw new OperatorError('filter-syntax', 'this filter expression is not supported live')
    if (code !== RETURN || view.getUint32(at + 4, true) === 0) continue
    view.setUint16(at, JUMP, true)
    view.setUint32(at + 4, (expression.length - at) / FILTER_INSTRUCTION_LEN - 1, true)
  }
  return program
}
