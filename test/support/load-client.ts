// Readers of a load test in a process of their own. Arguments: socket path, how many, how many of them never read.
// Prints one JSON line when told to stop: per reader the findings received, those twice, and the gaps.
import WebSocket from 'ws'

const [socketPath, countText, deafText] = process.argv.slice(2) as [string, string, string]
const count = Number(countText)
const deaf = Number(deafText)

interface Reader {
  received: number
  twice: number
  lastSeq: number
  gapCount: number
  closed: boolean
}
const readers: Reader[] = []
const SEQ = /"type":"(finding|gap)","seq":(\d+)/g

for (let index = 0; index < count; index++) {
  const reader: Reader = { received: 0, twice: 0, lastSeq: 0, gapCount: 0, closed: false }
  readers.push(reader)
  const socket = new WebSocket(`ws+unix:${socketPath}:/api/v1/stream?after=0&batch=50`, { maxPayload: 64 << 20 })
  if (index < deaf) socket.on('open', () => socket.pause())
  socket.on('close', () => {
    reader.closed = true
  })
  socket.on('error', () => {})
  socket.on('message', (data) => {
    // Parsing a million messages a second is not what is measured.
    const text = (data as Buffer).toString('latin1')
    for (const match of text.matchAll(SEQ)) {
      if (match[1] === 'gap') {
        const gap = /"count":(\d+)/.exec(text)
        reader.gapCount += Number(gap?.[1] ?? 0)
        continue
      }
      const seq = Number(match[2])
      reader.received++
      if (seq <= reader.lastSeq) reader.twice++
      reader.lastSeq = seq
    }
  })
}

process.stdout.write('ready\n')
process.stdin.once('data', () => {
  process.stdout.write(`${JSON.stringify(readers)}\n`, () => process.exit(0))
})
