// DNS over UDP in real captures, told by us and by tshark. The captures are not part of the project: a sibling folder.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCapture } from '../../src/capture/open-capture.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { LAYER_DNS } from '../../src/model/layer.ts'
import { OperatorError } from '../../src/model/operator-error.ts'
import { readDnsMessage } from '../../src/text/dns-message.ts'

const ROOT = join(import.meta.dirname, '../../../shared/captures')
const ODD_NAME = /[<>\\\ufffd]|[^\x21-\x7e]/

interface Oracle {
  dns?: OracleRow[]
  fragments?: { ipv4_frames?: number; ipv6_frames?: number }
}

interface OracleRow {
  frame: number
  l4: string
  proto: string
  id: number
  qr: number
  opcode: number
  q: [string, number][]
  rcode?: number
  quoted_in_icmp_error?: boolean
}

const normal = (name: string) => {
  const lower = name.toLowerCase().replace(/\.+$/, '')
  return lower === '<root>' ? '' : lower
}
const keyOf = (id: number, response: boolean, queries: [string, number][], rcode: number | undefined) =>
  JSON.stringify([id, response, queries.map(([name, type]) => `${name} ${type}`).sort(), response ? rcode : null])

/** Our rows by frame; undefined when the format or the link type is none that we read. */
async function ourRows(path: string): Promise<Map<number, string[]> | undefined> {
  const rows = new Map<number, string[]>()
  const source = await openCapture(path).catch((error: unknown) => {
    if (error instanceof OperatorError) return undefined
    throw error
  })
  if (source === undefined) return undefined
  const out = createDecodedBatch()
  let ipRows = 0
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    decodeBatch(batch, out)
    for (let row = 0; row < batch.count; row++) {
      if (out.ipVersion[row] !== 0) ipRows++
      if (out.layer[row] !== LAYER_DNS) continue
      const message = readDnsMessage(batch.bytes, out.dnsAt[row]!, out.dnsEndAt[row]!)!
      const queries = message.queries.map(({ name, type }): [string, number] => [normal(name), type])
      const key = keyOf(message.id, message.response, queries, message.rcode)
      const frame = batch.frameNumber[row]!
      if (message.opcode === 0) rows.set(frame, [...(rows.get(frame) ?? []), key])
    }
    batch.release()
  }
  await source.close()
  return ipRows === 0 ? undefined : rows
}

function excusedRows(): Set<string> {
  const lines = readFileSync(join(import.meta.dirname, '../agree-exceptions.tsv'), 'utf8').split('\n')
  return new Set(lines.filter((line) => !line.startsWith('#')).map((line) => line.split('\t').slice(0, 3).join('\t')))
}

test('DNS over UDP agrees with tshark', async () => {
  if (!existsSync(join(ROOT, 'LIST.txt'))) {
    console.log('no ../shared/captures beside the project: the comparison with tshark did not run')
    return
  }
  const excused = excusedRows()
  let expected = 0
  let unread = 0
  const missing: string[] = []
  const invented: string[] = []
  for (const path of readFileSync(join(ROOT, 'LIST.txt'), 'utf8').split('\n').filter(Boolean)) {
    const oraclePath = join(ROOT, 'oracle', `${path.replaceAll('/', '__')}.json`)
    if (excused.has(`${path}\tdns\t*`) || !existsSync(oraclePath)) continue
    const oracle: Oracle = JSON.parse(readFileSync(oraclePath, 'utf8'))
    const ours = await ourRows(join(ROOT, path))
    // Answers in fragments are put together elsewhere: here only whole datagrams are compared.
    const withFragments = (oracle.fragments?.ipv4_frames ?? 0) + (oracle.fragments?.ipv6_frames ?? 0) > 0
    const known = new Set<number>()
    for (const row of oracle.dns ?? []) {
      known.add(row.frame)
      const plain = row.proto === 'dns' && row.l4 === 'udp' && row.opcode === 0 && !row.quoted_in_icmp_error
      if (!plain || excused.has(`${path}\tdns\t${row.frame}`)) continue
      const queries = row.q.map(([name, type]): [string, number] => [normal(name), type])
      if (queries.some(([name]) => ODD_NAME.test(name))) continue
      const found = ours?.get(row.frame) ?? []
      const at = found.indexOf(keyOf(row.id, row.qr === 1, queries, row.rcode))
      if (at >= 0) found.splice(at, 1)
      else if (withFragments) continue
      else if (ours === undefined) unread++
      else missing.push(`${path} ${row.frame}`)
      expected++
    }
    for (const frame of ours?.keys() ?? []) if (!known.has(frame)) invented.push(`${path} ${frame}`)
  }
  console.log(
    `DNS over UDP: ${expected} rows of tshark, missing ${missing.length}, in formats we do not read ${unread}, ours alone ${invented.length}`,
  )
  expect(expected).toBeGreaterThan(10_000)
  expect(invented).toEqual([])
  expect(missing.length / expected < 0.001 ? [] : missing).toEqual([])
})
