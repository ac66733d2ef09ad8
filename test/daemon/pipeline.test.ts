// What the platform hands to analysis reaches it: compressed packets are read by every command that analyses.
import { deflateRawSync } from 'node:zlib'
import { analyze } from '../../src/daemon/pipeline.ts'
import { concat, dnsQuery, ipv4, udp } from '../decoders/build-packet.ts'
import { memorySource } from '../memory-source.ts'

test('a question inside IPComp (RFC 3173) counts for the report', async () => {
  const packed = deflateRawSync(udp(1111, 53, dnsQuery(9, 'www.example.com')))
  const bytes = ipv4(108, concat([17, 0, 0, 2], packed))
  const source = memorySource([{ bytes, linkType: 101 }], [{ name: 'eth0', linkType: 101 }])
  const options = { version: 'test', tunnels: [], physicals: [], vpnResolvers: [] }
  const report = (await analyze(source, options)).report()
  expect(report.resolvers).toMatchObject([{ port: 53, queries: 1 }])
})
