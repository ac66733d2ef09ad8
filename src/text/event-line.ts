// Cold path. EVE JSON lines: the envelope every event has, with Suricata's field names, and the line itself.
import { IPPROTO_TCP } from '../constants/wire.ts'
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { ConnectionFact } from '../model/connection-facts.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { addressText, parseAddress } from './address.ts'
import { flowId } from './flow-id.ts'
import { protocolName } from './protocol-name.ts'
import { eventTime } from './timestamp.ts'

/** What event lines need besides the facts. */
export interface EventOptions {
  /** The source's interfaces, by id; may grow while reading. */
  readonly interfaces: readonly CaptureInterface[]
  /** Each line names the input it comes from (`pcap_filename`): files, not live capture. */
  readonly withInputName: boolean
  /** Queries of URLs are blanked unless set: they hold names, searches and tokens. */
  readonly keepUrlQueries?: boolean
}

/** One event; an object named as its `event_type` follows the envelope. */
export interface EventEnvelope {
  timestamp: string
  flow_id: number
  in_iface?: string
  pcap_cnt: number
  event_type: string
  src_ip?: string
  src_port?: number
  dest_ip?: string
  dest_port?: number
  proto?: string
  pcap_filename?: string
  [eventType: string]: unknown
}

/** The envelope of a decoded packet, in the packet's own direction. */
export function rowEnvelope(
  batch: PacketBatch,
  out: DecodedBatch,
  row: number,
  eventType: string,
  options: EventOptions,
): EventEnvelope {
  const word = row << 3
  const srcPort = out.srcPort[row]!
  const dstPort = out.dstPort[row]!
  const ipProtocol = out.ipProtocol[row]!
  const interfaceId = batch.interfaceId[row]!
  const event = startEnvelope(batch.timeMicros[row]!, interfaceId, batch.frameNumber[row]!, eventType, options)
  event.flow_id = flowId(out.addresses, word, srcPort, word + 4, dstPort, ipProtocol, interfaceId)
  event.src_ip = addressText(out.addresses, word)
  if (hasPorts(out, row)) event.src_port = srcPort
  event.dest_ip = addressText(out.addresses, word + 4)
  if (hasPorts(out, row)) event.dest_port = dstPort
  event.proto = protocolName(ipProtocol)
  return endEnvelope(event, interfaceId, options)
}

/** The envelope of a fact about a connection: the client is the source, whoever sent the packet that completed it. */
export function connectionEnvelope(
  fact: ConnectionFact,
  eventType: string,
  options: EventOptions,
  ipProtocol: number = IPPROTO_TCP,
): EventEnvelope {
  const event = startEnvelope(fact.timeMicros, fact.interfaceId, fact.frameNumber, eventType, options)
  const words = Uint32Array.from([
    ...(parseAddress(fact.clientAddress) ?? [0, 0, 0, 0]),
    ...(parseAddress(fact.serverAddress) ?? [0, 0, 0, 0]),
  ])
  event.flow_id = flowId(words, 0, fact.clientPort, 4, fact.serverPort, ipProtocol, fact.interfaceId)
  event.src_ip = fact.clientAddress
  event.src_port = fact.clientPort
  event.dest_ip = fact.serverAddress
  event.dest_port = fact.serverPort
  event.proto = protocolName(ipProtocol)
  return endEnvelope(event, fact.interfaceId, options)
}

/** One line of printable ASCII, without the newline: whatever the wire said, it cannot move a cursor or end a line. */
export function eventLine(event: object): string {
  return JSON.stringify(event).replace(/[\u007f-\uffff]/g, escapeUnit)
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function startEnvelope(
  timeMicros: number,
  interfaceId: number,
  frameNumber: number,
  eventType: string,
  options: EventOptions,
): EventEnvelope {
  const name = options.interfaces[interfaceId]?.name
  return {
    timestamp: eventTime(timeMicros),
    flow_id: 0,
    ...(name === undefined ? {} : { in_iface: name }),
    pcap_cnt: frameNumber,
    event_type: eventType,
  }
}

function endEnvelope(event: EventEnvelope, interfaceId: number, options: EventOptions): EventEnvelope {
  const inputName = options.withInputName ? options.interfaces[interfaceId]?.inputName : undefined
  if (inputName !== undefined) event.pcap_filename = inputName
  return event
}

function hasPorts(out: DecodedBatch, row: number): boolean {
  return out.srcPort[row] !== 0 || out.dstPort[row] !== 0
}
