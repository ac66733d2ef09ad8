// A classic BPF program run over captured packets: the machine of McCanne and Jacobson, "The BSD Packet Filter", 1993,
// as libpcap's own interpreter has it. The kernel runs the same programs live.
import { FILTER_INSTRUCTION_LEN } from './ring-layout.ts'

/** Classes, the low three bits of a code. */
const LD = 0x00
const LDX = 0x01
const ST = 0x02
const STX = 0x03
const ALU = 0x04
const JMP = 0x05
const RET = 0x06

/** Loads: class, size, mode. */
const LD_ABS_WORD = 0x20
const LD_ABS_HALF = 0x28
const LD_ABS_BYTE = 0x30
const LD_IND_WORD = 0x40
const LD_IND_HALF = 0x48
const LD_IND_BYTE = 0x50
const LD_IMM = 0x00
const LD_MEM = 0x60
const LD_LEN = 0x80
const LDX_IMM = 0x01
const LDX_MEM = 0x61
const LDX_LEN = 0x81
const LDX_IP_HEADER_LEN = 0xb1
const TAX = 0x07
const TXA = 0x87

/** Of a load: where from; behind X where it is indirect. */
const MODE = 0xe0
const MODE_ABS = 0x20
const MODE_IND = 0x40
/** Linux: loads from here on are of what is known beside the bytes (linux/filter.h, SKF_AD_OFF). */
const ANCILLARY = 0xfffff000
/** X instead of the constant. */
const SOURCE_X = 0x08
const RET_A = 0x10
const SCRATCH_WORDS = 16

export class BpfProgram {
  readonly #code: Uint16Array
  readonly #yes: Uint8Array
  readonly #no: Uint8Array
  readonly #constant: Uint32Array
  readonly #scratch = new Uint32Array(SCRATCH_WORDS)

  /**
   * `encoded`: instructions in this machine's (little-endian) order, as libpcap gives them: code, two jumps, constant.
   * @throws RangeError for a jump that leaves the program and for memory that a captured packet does not have
   */
  constructor(encoded: Uint8Array) {
    const count = encoded.length / FILTER_INSTRUCTION_LEN
    const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length)
    this.#code = new Uint16Array(count)
    this.#yes = new Uint8Array(count)
    this.#no = new Uint8Array(count)
    this.#constant = new Uint32Array(count)
    for (let pc = 0; pc < count; pc++) {
      const at = pc * FILTER_INSTRUCTION_LEN
      this.#code[pc] = view.getUint16(at, true)
      this.#yes[pc] = view.getUint8(at + 2)
      this.#no[pc] = view.getUint8(at + 3)
      this.#constant[pc] = view.getUint32(at + 4, true)
    }
    this.#verify(count)
  }

  #verify(count: number): void {
    if (count === 0) throw new RangeError('the program is empty')
    for (let pc = 0; pc < count; pc++) {
      const code = this.#code[pc]!
      const k = this.#constant[pc]!
      const kind = code & 0x07
      if (kind === JMP) {
        // Only the unconditional one goes back: `protochain` walks along headers, and ends where the packet does.
        const steps = (code & 0xf0) === 0 ? [k | 0] : [this.#yes[pc]!, this.#no[pc]!]
        for (const step of steps) {
          if (pc + 1 + step < 0 || pc + 1 + step >= count)
            throw new RangeError(`instruction ${pc} jumps out of the program`)
        }
      } else if (kind !== RET && pc === count - 1) throw new RangeError('the program does not end with a return')
      const isScratch = kind === ST || kind === STX || code === LD_MEM || code === LDX_MEM
      if (isScratch && k >= SCRATCH_WORDS) throw new RangeError(`instruction ${pc} has no such scratch word: ${k}`)
      if ((code & 0x07) === LD && (code & MODE) === MODE_ABS && k >= ANCILLARY)
        throw new RangeError('it asks what the kernel knows only at the moment of capture')
    }
  }

  /**
   * Whether the program accepts the packet at `bytes[startAt .. startAt + capturedLen)`, `wireLen` long on the wire. A
   * load behind what was captured rejects it. HOT PATH.
   */
  accepts(bytes: Uint8Array, startAt: number, capturedLen: number, wireLen: number): boolean {
    const scratch = this.#scratch
    let a = 0
    let x = 0
    for (let pc = 0; ; pc++) {
      const code = this.#code[pc]!
      const k = this.#constant[pc]!
      switch (code & 0x07) {
        case LD:
        case LDX: {
          const from = (code & MODE) === MODE_IND ? k + x : k
          const at = startAt + from
          switch (code) {
            case LD_ABS_WORD:
            case LD_IND_WORD:
              if (from + 4 > capturedLen) return false
              a = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
              break
            case LD_ABS_HALF:
            case LD_IND_HALF:
              if (from + 2 > capturedLen) return false
              a = (bytes[at]! << 8) | bytes[at + 1]!
              break
            case LD_ABS_BYTE:
            case LD_IND_BYTE:
              if (from >= capturedLen) return false
              a = bytes[at]!
              break
            case LD_IMM:
              a = k
              break
            case LD_MEM:
              a = scratch[k]!
              break
            case LD_LEN:
              a = wireLen
              break
            case LDX_IMM:
              x = k
              break
            case LDX_MEM:
              x = scratch[k]!
              break
            case LDX_LEN:
              x = wireLen
              break
            case LDX_IP_HEADER_LEN:
              if (from >= capturedLen) return false
              x = (bytes[at]! & 0x0f) << 2
              break
            default:
              return false
          }
          break
        }
        case ST:
          scratch[k] = a
          break
        case STX:
          scratch[k] = x
          break
        case ALU: {
          const operand = (code & SOURCE_X) === 0 ? k : x
          const made = calculate(code & 0xf0, a, operand)
          // Division by zero: no packet that the expression means.
          if (made < 0) return false
          a = made
          break
        }
        case JMP: {
          if ((code & 0xf0) === 0) pc += k | 0
          else pc += compare(code & 0xf0, a, (code & SOURCE_X) === 0 ? k : x) ? this.#yes[pc]! : this.#no[pc]!
          break
        }
        case RET:
          return ((code & RET_A) === 0 ? k : a) !== 0
        default:
          if (code === TAX) x = a
          else if (code === TXA) a = x
          else return false
      }
    }
  }
}

/** Of 32 bits, unsigned; −1 where there is no result. */
function calculate(operation: number, a: number, operand: number): number {
  switch (operation) {
    case 0x00:
      return (a + operand) >>> 0
    case 0x10:
      return (a - operand) >>> 0
    case 0x20:
      return Math.imul(a, operand) >>> 0
    case 0x30:
      return operand === 0 ? -1 : Math.floor(a / operand)
    case 0x40:
      return (a | operand) >>> 0
    case 0x50:
      return (a & operand) >>> 0
    case 0x60:
      return operand > 31 ? 0 : (a << operand) >>> 0
    case 0x70:
      return operand > 31 ? 0 : a >>> operand
    case 0x80:
      return -a >>> 0
    case 0x90:
      return operand === 0 ? -1 : a % operand
    case 0xa0:
      return (a ^ operand) >>> 0
    default:
      return -1
  }
}

function compare(operation: number, a: number, operand: number): boolean {
  switch (operation) {
    case 0x10:
      return a === operand
    case 0x20:
      return a > operand
    case 0x30:
      return a >= operand
    default:
      return (a & operand) !== 0
  }
}
