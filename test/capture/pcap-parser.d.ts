// npm's pcap-parser comes without types; this is what the test uses.
declare module 'pcap-parser' {
  import type { EventEmitter } from 'node:events'
  import type { Readable } from 'node:stream'

  const pcapParser: { parse(source: Readable): EventEmitter }
  export default pcapParser
}
