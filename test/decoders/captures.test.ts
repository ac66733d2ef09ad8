// Differential: what the decoders see in real captures against tshark's rows for them. The captures are a sibling folder
// that not every machine has; without it the test says so.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from '@jest/globals'
import { openCapture } from '../../src/capture/open-capture.ts'
import { TCP_SYN } from '../../src/constants/wire.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch, ROW_FRAGMENT } from '../../src/model/decoded-batch.ts'
import { LAYER_ICMPV4, LAYER_ICMPV6, LAYER_TCP } from '../../src/model/layer.ts'
import { OperatorError } from '../../src/model/operator-error.ts'
import type { PacketBatch } from '../../src/model/packet-batch.ts'

const root = path.resolve(import.meta.dirname, '../../../shared/captures')
const THRESHOLD = 0.999

/** Rows that tshark has and packets alone do not give; the end of a path and the reason. */
const excused: Record<string, string> = {
  'defrag-af-confusion-spray-h8.pcap': 'IPv6 fragment headers inside reassembled IPv4: needs reassembly',
  'arcnet-rfc1051-arp-icmp-http.pcap': 'link type ARCnet',
  'arcnet-rfc1201-arp-icmp-http.pcap': 'link type ARCnet',
  'nflog.pcap': 'link type NFLOG',
  'nb6-http.pcap': 'L2TP',
  'ajp.pcap': 'Cisco FabricPath',
}

type Rows = Map<string, number>

const out = createDecodedBatch()

function count(rows: Rows, key: string, by = 1): void {
  rows.set(key, (rows.get(key) ?? 0) + by)
}

interface Oracle {
  icmp_errors: { frame: number; type: number; code: number; mtu: number | null; frag_needed: boolean }[]
  fragments: { ipv4_frames?: number; ipv6_frames?: number }
  mss: Record<string, number>
}

function rowsOfTshark(oracle: Oracle): Record<string, Rows> {
  const icmp: Rows = new Map()
  for (const row of oracle.icmp_errors) {
    count(icmp, [row.frame, row.type, row.code, row.frag_needed ? row.mtu || 0 : 0].join())
  }
  const fragment: Rows = new Map([
    ['4', oracle.fragments.ipv4_frames ?? 0],
    ['6', oracle.fragments.ipv6_frames ?? 0],
  ])
  return { icmp, fragment, mss: new Map(Object.entries<number>(oracle.mss)) }
}

function addBatch(rows: Record<string, Rows>, batch: PacketBatch): void {
  decodeBatch(batch, out)
  for (let row = 0; row < batch.count; row++) {
    const type = out.icmpType[row]!
    const isError =
      out.layer[row] === LAYER_ICMPV4
        ? type === 3 || type === 11
        : out.layer[row] === LAYER_ICMPV6 && type >= 1 && type <= 3
    if (isError) count(rows.icmp!, [batch.frameNumber[row], type, out.icmpCode[row], out.icmpMtu[row]].join())
    if ((out.flags[row]! & ROW_FRAGMENT) !== 0) count(rows.fragment!, String(out.ipVersion[row]))
    const isSyn = out.layer[row] === LAYER_TCP && (out.tcpFlags[row]! & TCP_SYN) !== 0
    if (isSyn && out.tcpMss[row] !== 0) count(rows.mss!, String(out.tcpMss[row]))
  }
}

async function rowsOfOurs(file: string): Promise<Record<string, Rows>> {
  const rows = { icmp: new Map(), fragment: new Map(), mss: new Map() }
  const source = await openCapture(file)
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    addBatch(rows, batch)
    batch.release()
  }
  await source.close()
  return rows
}

test('ICMP errors, fragments and MSS agree with tshark', async () => {
  if (!existsSync(path.join(root, 'LIST.txt'))) {
    console.log(`not run: no captures at ${root}`)
    return
  }
  const total: Record<string, { rows: number; found: number; extra: number }> = {
    icmp: { rows: 0, found: 0, extra: 0 },
    fragment: { rows: 0, found: 0, extra: 0 },
    mss: { rows: 0, found: 0, extra: 0 },
  }
  const differences: string[] = []
  for (const name of readFileSync(path.join(root, 'LIST.txt'), 'utf8').split('\n')) {
    const oracleFile = path.join(root, 'oracle', `${name.replaceAll('/', '__')}.json`)
    if (name === '' || !existsSync(oracleFile) || path.basename(name) in excused) continue
    let ours: Record<string, Rows>
    try {
      ours = await rowsOfOurs(path.join(root, name))
    } catch (error) {
      // Formats that are not pcap or pcapng.
      if (error instanceof OperatorError) continue
      throw error
    }
    for (const [kind, theirs] of Object.entries(rowsOfTshark(JSON.parse(readFileSync(oracleFile, 'utf8'))))) {
      const sum = total[kind]!
      for (const key of new Set([...theirs.keys(), ...ours[kind]!.keys()])) {
        const want = theirs.get(key) ?? 0
        const have = ours[kind]!.get(key) ?? 0
        sum.rows += want
        sum.found += Math.min(want, have)
        sum.extra += Math.max(0, have - want)
        if (want !== have) differences.push(`${name} ${kind} ${key}: tshark ${want}, we ${have}`)
      }
    }
  }
  for (const kind of ['icmp', 'fragment', 'mss']) {
    const { rows, found, extra } = total[kind]!
    expect(rows).toBeGreaterThan(500)
    const agreement = found / (rows + extra)
    expect({ kind, isAgreed: agreement >= THRESHOLD, differences: agreement >= THRESHOLD ? [] : differences }).toEqual({
      kind,
      isAgreed: true,
      differences: [],
    })
  }
  console.log(`agreement with tshark ${JSON.stringify(total)}, differences: ${differences.join('; ') || 'none'}`)
}, 120_000)
