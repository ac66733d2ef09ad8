// Every capture of the collection beside the project against what tshark's oracle says of the container.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSequence } from '../../src/capture/open-capture.ts'

const COLLECTION = join(import.meta.dirname, '../../../shared/captures')

/** Where we differ from the oracle, and why. */
const DIFFERENCES: Record<string, { fields: string[]; reason: string }> = {
  'libpcap/tests/linktype-reserved-field-not-zero.pcap': {
    fields: ['linkTypes', 'damaged'],
    reason: 'refused, as tshark and libpcap do; the oracle only lists the field',
  },
  'libpcap/tests/pcap-invalid-version-1.pcap': {
    fields: ['packets', 'linkTypes', 'damaged'],
    reason: 'version 1 is refused, as tshark and tcpdump do; the oracle only walks the records',
  },
  'libpcap/tests/shb-option-too-long.pcapng': {
    fields: ['packets', 'linkTypes', 'damaged', 'cut'],
    reason: 'the section header is broken: tshark and tcpdump refuse it too',
  },
  'PcapPlusPlus/Tests/ExamplesTest/pcap_examples/solaris.snoop': {
    fields: ['damaged'],
    reason: 'snoop is not read; the sentence says how to convert it',
  },
  'python-pcapng/test_data/test006.ntar': {
    fields: ['damaged'],
    reason: 'a block length without its padding: read, as tshark does',
  },
  'python-pcapng/test_data/test007.ntar': {
    fields: ['damaged', 'cut'],
    reason: 'the same, in a simple packet block that the snap length cut',
  },
  'tcpdump/tests/bootp_asan.pcap': {
    fields: ['linkTypes'],
    reason: 'the oracle keeps the frame check bits in the link type',
  },
  'tcpdump/tests/vtp_asan.pcap': {
    fields: ['packets', 'damaged'],
    reason: 'a record header of zeros, mutated on purpose: damage, not packets without a byte in 1970',
  },
  'wireshark44/test/captures/trunc.pcap': {
    fields: ['packets'],
    reason: 'one packet and zeros up to the end: damage, not 46 packets without a byte in 1970',
  },
  ...Object.fromEntries(
    ['advanced/test101', 'advanced/test102', 'basic/test012', 'difficult/test201', 'difficult/test202'].map((name) => [
      `pcapng-test-generator/output_le/${name}.pcapng`,
      { fields: ['cut'], reason: 'the oracle does not count simple packet blocks that the snap length cut' },
    ]),
  ),
}

test('packets, link types, cut packets and damage of every capture', async () => {
  if (!existsSync(join(COLLECTION, 'LIST.txt'))) {
    console.log(`real-captures: not run, there is no ${COLLECTION}`)
    return
  }
  const names = readFileSync(join(COLLECTION, 'LIST.txt'), 'utf8').trim().split('\n')
  const source = await openSequence(names.map((name) => join(COLLECTION, name)))
  const cut = new Uint32Array(names.length)
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    for (let row = 0; row < batch.count; row++) {
      const { inputIndex } = source.interfaces[batch.interfaceId[row]!]!
      if (batch.capturedLen[row]! < batch.wireLen[row]!) cut[inputIndex]!++
    }
    batch.release()
  }
  await source.close()
  const found: Record<string, string[]> = {}
  for (const [i, name] of names.entries()) {
    const path = join(COLLECTION, 'oracle', `${name.replaceAll('/', '__')}.json`)
    const { container } = JSON.parse(readFileSync(path, 'utf8'))
    const input = source.inputs[i]!
    const linkTypes = source.interfaces.filter(({ inputIndex }) => inputIndex === i).map(({ linkType }) => linkType)
    const fields = [
      input.packets !== container.packets && 'packets',
      [...new Set(linkTypes)].sort().join() !== [...container.linktypes].sort().join() && 'linkTypes',
      (input.damage !== undefined) !== container.trailing && 'damaged',
      cut[i] !== container.truncated_packets && 'cut',
    ].filter((field) => field !== false)
    if (fields.length > 0) found[name] = fields
  }
  const explained = Object.entries(DIFFERENCES).map(([name, { fields }]) => [name, fields])
  expect(found).toEqual(Object.fromEntries(explained))
})
