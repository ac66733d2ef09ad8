import { createHash } from 'node:crypto'
import { ja3Text, ja4 } from '../../../src/analysis/trackers/tls-fingerprints.ts'
import { createTlsHello } from '../../../src/decoders/tls.ts'

const hasher = {
  md5: (text: string) => createHash('md5').update(text).digest('hex'),
  sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
}

const hex = (text: string) => text.split(',').map((value) => Number.parseInt(value, 16))

test('JA3 of the example in its own documentation', () => {
  const hello = createTlsHello()
  hello.legacyVersion = 769
  hello.cipherSuites = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4]
  hello.extensions = [0, 10, 11]
  hello.groups = [23, 24, 25]
  hello.pointFormats = [0]
  expect(hasher.md5(ja3Text(hello))).toBe('ada70206e40642a3e4461f35503241d5')
})

test('JA4 of the example in its own documentation', () => {
  const hello = createTlsHello()
  hello.legacyVersion = 0x0303
  hello.cipherSuites = hex('1a1a,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035')
  hello.extensions = hex('2a2a,001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015')
  hello.signatureAlgorithms = hex('0403,0804,0401,0503,0805,0501,0806,0601')
  hello.supportedVersions = hex('3a3a,0304,0303')
  hello.alpns = ['h2', 'http/1.1']
  hello.sni = 'example.com'
  expect(ja4(hello, hasher)).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1')
})

test('JA4 marks an ALPN that is not alphanumeric by its hex digits', () => {
  const hello = createTlsHello()
  hello.alpns = ['\xab\x01\xcd']
  expect(ja4(hello, hasher).slice(0, 10)).toBe('t00i0000ad')
})
