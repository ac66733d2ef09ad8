// What a detector is: a description of the finding it raises, and handlers for facts whose state lives in the closure.

import type { AddressOwner } from '../model/address-owner.ts'
import type { FactHandlers } from '../model/facts.ts'
import type { Confidence, Evidence, Severity } from '../model/finding.ts'
import type { PathContext } from './path-context.ts'
import type { ResolverFigures } from './trackers/resolvers.ts'

export interface DetectorMeta {
  /** Finding id = file name = test name = page under docs/findings. */
  readonly id: string
  readonly title: string
  readonly severity: Severity
  /** The standard the judgement rests on, or `heuristic`. */
  readonly basis: string
  /** Summary template: `{field}` is filled from the finding's data. */
  readonly message: string
  /** What to do next, one sentence; same template language. */
  readonly advice: string
}

/** What a detector hands to raise(); the rest of the finding comes from its meta and the context. */
export interface RaisedFinding {
  /** Repeats with the same key are counted, not repeated. */
  key: string
  timeMicros: number
  confidence: Confidence
  data: Record<string, unknown>
  interface?: string | undefined
  cause?: string
  /** Overrides the meta's severity. */
  severity?: Severity
  /** Overrides the meta's basis. */
  basis?: string
  /** Overrides the meta's template. */
  message?: string
  advice?: string
  evidence?: Evidence
  filter?: string
  /** How often it happened; 1 when absent. */
  count?: number
}

/** What a detector may ask besides the facts it gets. */
export interface DetectorContext {
  raise(meta: DetectorMeta, finding: RaisedFinding): void
  /** Resolvers that belong to the VPN, as text: named by the operator, or the ones the tunnel's own network holds. */
  vpnResolvers(): readonly string[]
  /** Who runs an address, from an offline database the operator gave; undefined when not known. */
  ownerOf(address: string): AddressOwner | undefined
  /** The addresses of an exchange's answer, by its `answerSet`. */
  answersOf(answerSet: number): string[]
  /** Who was asked so far, how often and how fast, per interface and epoch. */
  resolvers(): readonly ResolverFigures[]
  /** The name shown for an interface, and the input it belongs to. */
  interfaceOf(interfaceId: number): { name: string; inputName: string }
  /** Paths, tunnels and sizes. */
  readonly network: PathContext
}

export interface Detector {
  readonly meta: DetectorMeta
  create(context: DetectorContext): FactHandlers
}
