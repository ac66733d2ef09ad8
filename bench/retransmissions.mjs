// Retransmissions against tshark, connection by connection: of each TCP connection with data, do both see one or not?
//   node bench/retransmissions.mjs [FILE…]      without files: every capture of ../shared/captures
// Prints the connections that differ, and the share that agrees (97 % is asked for). Needs tshark and dist/.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const CLI = join(ROOT, 'dist/cli/main.js')
const CAPTURES = join(ROOT, '../shared/captures')
const MAX_OUTPUT = 1 << 30
/** Differences printed of one capture. */
const MAX_SHOWN = 3
/** Times are printed to the microsecond. */
const CLOCK_SECONDS = 0.001

const given = process.argv.slice(2).filter((one) => !one.startsWith('--'))
const files = given.length > 0 ? given : readFileSync(join(CAPTURES, 'LIST.txt'), 'utf8').trim().split('\n')

function run(command, args) {
  return spawnSync(command, args, { encoding: 'utf8', maxBuffer: MAX_OUTPUT }).stdout ?? ''
}

/** Both ends in an order that does not depend on the direction. */
function pairOf(a, aPort, b, bPort) {
  return [`${a} ${aPort}`, `${b} ${bPort}`].sort().join(' ')
}

/** What tshark calls a stream: its ends, its first packet, data and retransmissions. Quoted and tunnelled TCP is left out. */
function theirs(file) {
  const fields = ['frame.time_epoch', 'tcp.stream', 'ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'tcp.srcport']
  fields.push('tcp.dstport', 'tcp.len', 'tcp.analysis.retransmission')
  const wanted = fields.flatMap((one) => ['-e', one])
  const lines = run('tshark', ['-r', file, '-Y', 'tcp && !icmp && !icmpv6', '-T', 'fields', ...wanted])
  const streams = new Map()
  for (const line of lines.split('\n')) {
    const [time, stream, src4, dst4, src6, dst6, srcPort, dstPort, len, again] = line.split('\t')
    const src = src4 || src6
    if (src === undefined || src === '' || stream.includes(',') || src.includes(',') || (src4 && src6)) continue
    let one = streams.get(stream)
    if (one === undefined) {
      one = { pair: pairOf(src, srcPort, dst4 || dst6, dstPort), start: Number(time), data: 0, again: 0 }
      streams.set(stream, one)
    }
    if (Number(len) > 0) one.data++
    if (again !== '') one.again++
  }
  return [...streams.values()]
}

function ours(file) {
  const flows = []
  for (const line of run(process.execPath, [CLI, 'events', file]).split('\n')) {
    if (!line.includes('"event_type":"flow"')) continue
    const event = JSON.parse(line)
    if (event.proto !== 'TCP') continue
    flows.push({
      pair: pairOf(event.src_ip, event.src_port, event.dest_ip, event.dest_port),
      start: Date.parse(event.flow.start.replace('+0000', 'Z')) / 1000,
      again: event.flow.retransmissions,
    })
  }
  return flows
}

/** Each stream of tshark's with our flows of it: of one pair those that begin within its time. We end a flow that is idle. */
function pairUp(streams, flows) {
  const byPair = new Map()
  const sorted = streams.toSorted((a, b) => a.start - b.start)
  for (const stream of sorted) byPair.set(stream.pair, [...(byPair.get(stream.pair) ?? []), { stream, flows: [] }])
  for (const flow of flows) {
    const candidates = byPair.get(flow.pair) ?? []
    const its = candidates.findLast(({ stream }) => stream.start <= flow.start + CLOCK_SECONDS) ?? candidates[0]
    its?.flows.push(flow)
  }
  return [...byPair.values()].flat()
}

let compared = 0
let agreed = 0
let unmatched = 0
for (const file of files) {
  const path = given.length > 0 ? file : join(CAPTURES, file)
  const streams = theirs(path)
  if (!streams.some((one) => one.data > 0)) continue
  const differing = []
  for (const { stream, flows } of pairUp(streams, ours(path))) {
    if (stream.data === 0) continue
    if (flows.length === 0) {
      unmatched++
      continue
    }
    compared++
    const again = flows.reduce((sum, one) => sum + one.again, 0)
    if (again > 0 === stream.again > 0) agreed++
    else differing.push(`${stream.pair}: tshark ${stream.again}, we ${again}`)
  }
  if (differing.length > 0) {
    console.log(`${file}: ${differing.length} differ, ${differing.slice(0, MAX_SHOWN).join('; ')}`)
  }
}
console.log(
  `${agreed} of ${compared} connections agree, ${((agreed * 100) / compared).toFixed(2)} %; ${unmatched} have no flow of ours`,
)
