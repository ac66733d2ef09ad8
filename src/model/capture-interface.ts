// What an input says about itself: its interfaces, their statistics, and what else a capture file carries.

/** Counters of one interface, from a pcapng statistics block or the kernel. Times in microseconds since 1970. */
export interface InterfaceStatistics {
  startMicros?: number
  endMicros?: number
  received?: number
  /** Packets the interface or the kernel dropped, all reasons together. */
  dropped?: number
}

/** One interface of one input. Ids are global: unique over all inputs of a run, dense, from 0. */
export interface CaptureInterface {
  readonly id: number
  /** Index into the run's inputs. */
  readonly inputIndex: number
  /** The input's name: the path as given, or `-`, or `live`. */
  readonly inputName: string
  readonly linkType: number
  /** ARPHRD_* of linux/if_arp.h, where the packets or the system tell it. */
  readonly hardwareType?: number
  /** Longest packet kept, 0 = no limit known. */
  readonly snapLen: number
  /** The operating system's name (if_name), when the input has it. */
  readonly name?: string
  readonly description?: string
  readonly comment?: string
  /** Addresses the input itself declares (if_IPv4addr, if_IPv6addr), as text. */
  readonly addresses: readonly string[]
  readonly filter?: string
  /** Set when the input carries statistics; they stand at the end of a file. With those of its continuations. */
  statistics?: InterfaceStatistics
  /** Set when it goes on from an earlier input: its packets bear that one's id, and it has none of its own. */
  isContinuation?: true
}

/** How an input ended and what it held; complete when the source has ended. */
export interface InputSummary {
  readonly name: string
  /** `pcap`, `pcap-ns`, `pcap-modified`, `pcapng`, with `, gzip` or `, zstd` behind it; `unknown` before it is opened. */
  format: string
  packets: number
  /** Bytes the packets had on the wire. */
  bytes: number
  /**
   * The input, by its index, that this one goes on from, as the next file of a ring does: its frames are numbered after
   * those of that one and of all before it.
   */
  continues?: number
  /** Packets dropped for the input as a whole, when the system cannot tell the interface (a live ring). */
  dropped?: number
  /** Earliest and latest packet. */
  firstMicros?: number
  lastMicros?: number
  /** Of `packets`, those that the person's filter left out; absent without a filter. */
  filteredOut?: number
  /** Set when the capturing library does not count what it loses. */
  lossUnknown?: boolean
  /** Set when the input is damaged: everything before it was used. */
  damage?: InputDamage
  /** Packets that came later than the sorting window allows; they were delivered out of order. */
  late: number
}

/** Where and why an input could not be read on. */
export interface InputDamage {
  /** Where the record begins that could not be read; within a compression, of the unpacked bytes. */
  readonly offset: number
  readonly reason: string
}
