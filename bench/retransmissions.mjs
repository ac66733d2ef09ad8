// Retransmissions against tshark, connection by connection: of each TCP connection with data, do both see one or not?
//   node bench/retransmissions.mjs [FILE…]      without files: every capture of ../shared/captures
// Prints the connections that differ, and the share that agrees (97 % is asked for). Needs tshark and dist/.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTransport } from '../dist/analysis/trackers/transport.js'
import { openCapture } from '../dist/capture/open-capture.js'
import { drain } from '../dist/daemon/pipeline.js'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const CAPTURES = join(ROOT, '../shared/captures')
const MAX_OUTPUT = 1 << 30
const IPPROTO_TCP = 6
/** Captures after which the share so far is told. */
const TOLD_EVERY = 100
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

/** Our TCP flows, by the same code as `events`, without starting a process for each capture. */
async function ours(file) {
  const flows = []
  const source = await openCapture(file).catch(() => undefined)
  if (source === undefined) return flows
  const transport = createTransport({
    flow(fact) {
      if (fact.ipProtocol !== IPPROTO_TCP) return
      const pair = pairOf(fact.clientAddress, fact.clientPort, fact.serverAddress, fact.serverPort)
      flows.push({ pair, start: fact.startMicros / 1e6, again: fact.retransmissions })
    },
  })
  await drain(source, (batch, out) => {
    for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
    if (batch.count > 0) transport.tick(batch.timeMicros[batch.count - 1])
  })
  transport.end()
  await source.close()
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
for (const [index, file] of files.entries()) {
  if (index > 0 && index % TOLD_EVERY === 0) console.log(`${index} captures: ${share()}`)
  const path = given.length > 0 ? file : join(CAPTURES, file)
  const streams = theirs(path)
  if (!streams.some((one) => one.data > 0)) continue
  const differing = []
  for (const { stream, flows } of pairUp(streams, await ours(path))) {
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
console.log(share())

function share() {
  const percent = compared === 0 ? '-' : ((agreed * 100) / compared).toFixed(2)
  return `${agreed} of ${compared} connections agree, ${percent} %; ${unmatched} have no flow of ours`
}
