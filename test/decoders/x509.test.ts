// Certificates at every length and with every byte changed: names, serial and times, or nothing, but never a wrong read.
import { readCertificate } from '../../src/decoders/x509.ts'
import { certificate } from './build-tls.ts'
import { everyEnd } from './every-end.ts'

const DER = Uint8Array.from(
  certificate({
    subject: [
      ['C', 'DE'],
      ['CN', 'www.example.com'],
    ],
    issuer: [['O', 'Example CA']],
    notBefore: '240101000000Z',
    notAfter: '20500101000000Z',
  }),
)

test('whose it is, from whom, from when to when', () => {
  expect(readCertificate(DER, 0, DER.length)).toEqual({
    subject: 'C=DE, CN=www.example.com',
    issuer: 'O=Example CA',
    serial: '0A:1B',
    notBeforeMicros: Date.UTC(2024, 0, 1) * 1000,
    notAfterMicros: Date.UTC(2050, 0, 1) * 1000,
  })
})

test('at every length', () => {
  const answers = everyEnd(DER, (bytes, endAt) => readCertificate(bytes, 0, endAt))
  // A signature that was cut off does not matter, a certificate that ends within its names is none.
  const firstAt = answers.findIndex((answer) => answer !== undefined)
  expect(firstAt).toBeGreaterThan(Buffer.from(DER).indexOf('www.example.com') + 'www.example.com'.length)
  for (const answer of answers.slice(firstAt)) expect(answer).toEqual(answers.at(-1))
})

test('with any byte changed it ends in words or in nothing', () => {
  for (let at = 0; at < DER.length; at++) {
    for (const value of [0x00, 0x7f, 0x80, 0x84, 0xff]) {
      const changed = DER.slice()
      changed[at] = value
      const answer = readCertificate(changed, 0, changed.length)
      expect([at, answer === undefined || typeof answer.subject === 'string']).toEqual([at, true])
    }
  }
})
