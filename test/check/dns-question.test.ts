// The question as bytes, held against dns-packet, and which bytes are an answer to it.
import { type Answer, decode, encode, type Packet } from 'dns-packet'
import { type DnsQuestionText, encodeQuestion, readAnswer } from '../../src/check/dns-question.ts'

const ASKED: DnsQuestionText = { id: 0x1234, name: 'shop.example', family: 4 }
const RESPONSE = 0x8000
const TRUNCATED = 0x0200

interface Reply {
  id?: number
  name?: string
  type?: string
  flags?: number
  answers?: readonly Answer[]
  questions?: readonly unknown[]
}

function reply({
  id = 0x1234,
  name = 'shop.example',
  type = 'A',
  flags = 0,
  answers = [],
  questions,
}: Reply): Uint8Array {
  return encode({
    type: 'response',
    id,
    flags,
    questions: questions ?? [{ type, name }],
    answers,
  } as unknown as Packet)
}

const a = (data: string, name = 'shop.example'): Answer => ({ type: 'A', name, ttl: 60, data })

test('a recursive question with EDNS and a size that passes everywhere', () => {
  const read = decode(Buffer.from(encodeQuestion(ASKED))) as unknown as Record<string, unknown>
  expect(read).toMatchObject({
    id: 0x1234,
    type: 'query',
    flag_rd: true,
    questions: [{ name: 'shop.example', type: 'A', class: 'IN' }],
    additionals: [{ type: 'OPT', udpPayloadSize: 1232 }],
  })
  const v6 = decode(Buffer.from(encodeQuestion({ ...ASKED, family: 6 })))
  expect(v6.questions).toMatchObject([{ type: 'AAAA' }])
})

test('the longest name fits', () => {
  const name = [63, 63, 63, 61].map((len) => 'a'.repeat(len)).join('.')
  expect(decode(Buffer.from(encodeQuestion({ ...ASKED, name }))).questions).toMatchObject([{ name }])
})

test('addresses of the type that was asked for, in order, once each', () => {
  const answers: Answer[] = [
    { type: 'CNAME', name: 'shop.example', ttl: 60, data: 'edge.example' },
    a('198.51.100.80', 'edge.example'),
    a('198.51.100.81', 'edge.example'),
    a('198.51.100.80', 'edge.example'),
    { type: 'AAAA', name: 'edge.example', ttl: 60, data: '2001:db8::1' },
  ]
  expect(readAnswer(reply({ answers }), ASKED)).toEqual({
    rcode: 'NOERROR',
    addresses: ['198.51.100.80', '198.51.100.81'],
    isTruncated: false,
  })
})

test('case does not matter, a code and a truncation are told', () => {
  expect(readAnswer(reply({ name: 'SHOP.example' }), ASKED)).toMatchObject({ addresses: [] })
  expect(readAnswer(reply({ flags: 3 }), ASKED)).toMatchObject({ rcode: 'NXDOMAIN' })
  expect(readAnswer(reply({ flags: TRUNCATED }), ASKED)).toMatchObject({ isTruncated: true })
})

test.each<[string, Uint8Array]>([
  ['another id', reply({ id: 0x1235, answers: [a('198.51.100.66')] })],
  ['another name', reply({ name: 'bank.example', answers: [a('198.51.100.66', 'bank.example')] })],
  ['another type', reply({ type: 'AAAA' })],
  ['no question', reply({ questions: [] })],
  [
    'two questions',
    reply({
      questions: [
        { type: 'A', name: 'shop.example' },
        { type: 'A', name: 'shop.example' },
      ],
    }),
  ],
  ['a question', encode({ type: 'query', id: 0x1234, questions: [{ type: 'A', name: 'shop.example' }] } as Packet)],
  ['nothing', new Uint8Array(0)],
  ['half a header', new Uint8Array(7)],
])('%s is no answer', (_, bytes) => {
  expect(readAnswer(bytes, ASKED)).toBeUndefined()
})

test('500 records are read once and bounded', () => {
  const answers = Array.from({ length: 500 }, (_, at) => a(`198.51.${at >> 8}.${at & 255}`))
  expect(readAnswer(reply({ answers }), ASKED)!.addresses).toHaveLength(32)
})

test('every length of an answer, and every byte of it set to 0xff, is an answer or none', () => {
  const whole = reply({ flags: RESPONSE, answers: [a('198.51.100.80'), a('198.51.100.81')] })
  for (let len = 0; len <= whole.length; len++) readAnswer(whole.slice(0, len), ASKED)
  for (let at = 0; at < whole.length; at++) {
    const broken = Uint8Array.from(whole)
    broken[at] = 0xff
    readAnswer(broken, ASKED)
  }
  expect(readAnswer(whole, ASKED)!.addresses).toHaveLength(2)
})
