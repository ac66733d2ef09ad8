// Key logs as programs write them and as nobody should: RFC 9850 2.
import { readKeyLog } from '../../src/decoders/tls-key-log.ts'

const RANDOM = 'cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7'
const SECRET_32 = 'b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38'
const SECRET_48 = `${SECRET_32}00112233445566778899aabbccddeeff`

/** What is taken from the text, `label random secret` in hex, and how many lines are damaged. */
function taken(text: string | Uint8Array): { lines: string[]; damaged: number } {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  const lines: string[] = []
  // Memory that ends where the text ends.
  const damaged = readKeyLog(Uint8Array.from(bytes), (label, clientRandom, secret) => {
    lines.push(
      [label, Buffer.from(clientRandom, 'latin1').toString('hex'), Buffer.from(secret).toString('hex')].join(' '),
    )
  })
  return { lines, damaged }
}

const LINES = [
  `CLIENT_RANDOM ${RANDOM} ${SECRET_48}`,
  `CLIENT_EARLY_TRAFFIC_SECRET ${RANDOM} ${SECRET_32}`,
  `CLIENT_HANDSHAKE_TRAFFIC_SECRET ${RANDOM} ${SECRET_32}`,
  `SERVER_HANDSHAKE_TRAFFIC_SECRET ${RANDOM} ${SECRET_48}`,
  `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} ${SECRET_32}`,
  `SERVER_TRAFFIC_SECRET_0 ${RANDOM} ${SECRET_48}`,
]

test('every label that opens records', () => {
  expect(taken(`${LINES.join('\n')}\n`)).toEqual({ lines: LINES, damaged: 0 })
})

test.each([
  ['without an end of the last line', LINES.join('\n')],
  ['with the line ends of other systems', LINES.join('\r\n')],
  ['with empty lines and comments', `# SSL/TLS secrets log file\n\n${LINES.join('\n\n# and\n')}\n\n`],
  ['with spaces around', LINES.map((line) => `  ${line.replaceAll(' ', '  ')} \t`).join('\n')],
  ['with hexadecimal digits in capitals', LINES.map((line) => line.replace(RANDOM, RANDOM.toUpperCase())).join('\n')],
])('%s', (_name, text) => {
  expect(taken(text)).toEqual({ lines: LINES, damaged: 0 })
})

test('labels of other secrets are passed over without a word', () => {
  const others = [
    `EXPORTER_SECRET ${RANDOM} ${SECRET_32}`,
    `EARLY_EXPORTER_SECRET ${RANDOM} ${SECRET_32}`,
    `SERVER_TRAFFIC_SECRET_1 ${RANDOM} ${SECRET_32}`,
    `ECH_SECRET ${RANDOM} ${SECRET_32}`,
    `ECH_CONFIG ${RANDOM} fe0d0000`,
    `RSA 0123456789abcdef ${SECRET_48}`,
    'RSA Session-ID:00 Master-Key:11',
  ]
  expect(taken(others.join('\n'))).toEqual({ lines: [], damaged: 0 })
})

test.each([
  ['a random that is too short', `CLIENT_RANDOM ${RANDOM.slice(2)} ${SECRET_48}`],
  ['a random that is too long', `CLIENT_RANDOM ${RANDOM}00 ${SECRET_48}`],
  ['a master secret that is too short', `CLIENT_RANDOM ${RANDOM} ${SECRET_32}`],
  ['a traffic secret of no hash', `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} ${SECRET_32.slice(2)}`],
  ['half a byte', `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} ${SECRET_32}0`],
  ['no secret', `CLIENT_RANDOM ${RANDOM}`],
  ['nothing but a label', 'CLIENT_RANDOM'],
  ['letters that are no digits', `CLIENT_RANDOM ${RANDOM} ${SECRET_48.replace('b', 'g')}`],
  ['a fourth word', `CLIENT_RANDOM ${RANDOM} ${SECRET_48} 00`],
  ['a line of something else', 'PK\x03\x04\x14\x00'],
  ['words of a person', 'these are my keys'],
  ['bytes above ASCII', '\xff\xfe\x00C\x00L'],
])('%s is one damaged line, and the others are read', (_name, line) => {
  expect(taken(`${LINES[0]}\n${line}\n${LINES[5]}\n`)).toEqual({ lines: [LINES[0], LINES[5]], damaged: 1 })
})

test('cut anywhere it gives the whole lines and no other', () => {
  const text = `${LINES[0]}\n${LINES[2]}\n`
  for (let len = 0; len <= text.length; len++) {
    const { lines, damaged } = taken(text.slice(0, len))
    const whole = LINES[0]!.length <= len ? (text.trimEnd().length <= len ? 2 : 1) : 0
    expect([len, lines.length]).toEqual([len, whole])
    expect(damaged).toBeLessThanOrEqual(1)
  }
})

test('one line without an end costs what it is long', () => {
  const endless = new Uint8Array(1 << 22).fill(0x41)
  const before = performance.now()
  expect(taken(endless)).toEqual({ lines: [], damaged: 1 })
  expect(taken(new Uint8Array(1 << 22))).toEqual({ lines: [], damaged: 1 })
  expect(performance.now() - before).toBeLessThan(2000)
})
