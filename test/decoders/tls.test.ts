// The hellos of RFC 8448 section 3, whole and at every length.
import {
  createTlsHello,
  readClientHello,
  readServerHello,
  TLS_START_MORE,
  TLS_START_NO,
  TLS_START_RECORD,
  tlsStart,
} from '../../src/decoders/tls.ts'
import { everyEnd } from './every-end.ts'

const HEADER_LEN = 4
const CLIENT_HELLO = Buffer.from(
  '010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b' +
    '0009000006736572766572ff01000100000a00140012001d00170018001901000101010201030104002300000033002600240' +
    '01d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e0403' +
    '05030603020308040805080604010501060102010402050206020202002d00020101001c00024001',
  'hex',
)
const SERVER_HELLO = Buffer.from(
  '020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c98288' +
    '76112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304',
  'hex',
)

function clientHello(bytes: Uint8Array, endAt: number) {
  const hello = createTlsHello()
  return { isOne: readClientHello(bytes, Math.min(HEADER_LEN, endAt), endAt, hello), hello }
}

function serverHello(bytes: Uint8Array, endAt: number) {
  const hello = createTlsHello()
  return { isOne: readServerHello(bytes, Math.min(HEADER_LEN, endAt), endAt, hello), hello }
}

test('the ClientHello of RFC 8448', () => {
  expect([CLIENT_HELLO.length, SERVER_HELLO.length]).toEqual([196, 90])
  expect(clientHello(CLIENT_HELLO, CLIENT_HELLO.length)).toEqual({
    isOne: true,
    hello: {
      ...createTlsHello(),
      legacyVersion: 0x0303,
      cipherSuites: [0x1301, 0x1303, 0x1302],
      extensions: [0, 0xff01, 10, 35, 51, 43, 13, 45, 28],
      sni: 'server',
      supportedVersions: [0x0304],
      groups: [0x1d, 0x17, 0x18, 0x19, 0x100, 0x101, 0x102, 0x103, 0x104],
      signatureAlgorithms: [
        0x0403, 0x0503, 0x0603, 0x0203, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0201, 0x0402, 0x0502, 0x0602,
        0x0202,
      ],
      whole: true,
    },
  })
})

test('the ServerHello of RFC 8448', () => {
  const { isOne, hello } = serverHello(SERVER_HELLO, SERVER_HELLO.length)
  expect([isOne, hello.legacyVersion, hello.cipherSuites, hello.supportedVersions, hello.whole]).toEqual([
    true,
    0x0303,
    [0x1301],
    [0x0304],
    true,
  ])
  expect(hello.helloRetryRequest).toBe(false)
})

test('hellos at every length say only what was there', () => {
  const answers = everyEnd(CLIENT_HELLO, clientHello)
  const wholeAt = (all: { isOne: boolean; hello: { whole: boolean } }[]) =>
    all.flatMap(({ isOne, hello }, endAt) => (isOne && hello.whole ? [endAt] : []))
  // RFC 5246 7.4.1.2: a hello may end before its extensions.
  expect(wholeAt(answers)).toEqual([4 + 2 + 32 + 1 + 2 + 6 + 2, CLIENT_HELLO.length])
  const nameEndAt = CLIENT_HELLO.indexOf('server') + 'server'.length
  expect(answers.findIndex(({ hello }) => hello.sni === 'server')).toBe(nameEndAt)
  const replies = everyEnd(SERVER_HELLO, serverHello)
  expect(wholeAt(replies)).toEqual([4 + 2 + 32 + 1 + 2 + 1, SERVER_HELLO.length])
})

test('the start of a record is recognised at every length', () => {
  const record = Uint8Array.from([0x16, 3, 1, 0, 0xc4, ...CLIENT_HELLO])
  const starts = everyEnd(record, (bytes, endAt) => tlsStart(bytes, 0, endAt))
  expect(starts).not.toContain(TLS_START_NO)
  const decidedAt = starts.indexOf(TLS_START_RECORD)
  expect(starts.slice(0, decidedAt).every((start) => start === TLS_START_MORE)).toBe(true)
  expect(starts.slice(decidedAt).every((start) => start === TLS_START_RECORD)).toBe(true)
  expect(decidedAt).toBeLessThanOrEqual(11)
})

test('a hello in records of one byte is recognised', () => {
  const records = Uint8Array.from([...CLIENT_HELLO.subarray(0, 4)].flatMap((byte) => [0x16, 3, 1, 0, 1, byte]))
  const starts = everyEnd(records, (bytes, endAt) => tlsStart(bytes, 0, endAt))
  expect(starts.slice(0, 7).every((start) => start === TLS_START_MORE)).toBe(true)
  expect(starts.slice(7).every((start) => start === TLS_START_RECORD)).toBe(true)
  expect(tlsStart(Uint8Array.of(0x16, 3, 1, 0, 1, 1, 0, 0), 0, 8)).toBe(TLS_START_NO)
})
