// What `compare` says: for each site the first stage at which two network contexts differ, the cause, and what to try next.
import type { Confidence, Severity } from './finding.ts'
import type { SiteObservation } from './site.ts'

/** Version of the comparison's shape; grows with every addition. */
export const COMPARISON_SCHEMA = 1

/** What kind of thing is to blame. */
export type CauseAxis = 'dns' | 'address-range' | 'tls' | 'mtu' | 'local' | 'gateway' | 'path'

/** The stages in their order: the first one that differs decides. */
export type Stage = 'state' | 'dns' | 'tcp' | 'tls' | 'http' | 'local' | 'quality'

/** What can be different between two networks. */
export type NetworkVariable = 'tunnel' | 'location' | 'resolver' | 'tunnel-mtu' | 'family' | 'transport' | 'interface'

/** What can be to blame and can be tried out one by one. */
export type Hypothesis = 'resolver' | 'exit' | 'mtu' | 'family' | 'local' | 'gateway'

/** An observation with the name its capture and epoch go by: `epoch 2`, `B epoch 1`. */
export interface LabelledObservation {
  label: string
  observation: SiteObservation
}

/** The first stage that differs. */
export interface Difference {
  stage: Stage
  axis: CauseAxis
  /** Words of the catalogue: `answers-differ`, `slow`, `refused`, … */
  cause: string
  confidence: Confidence
  /** A standard, or `heuristic`. */
  basis: string
  /** What was seen on both sides, with names and numbers. */
  summary: string
  /** What would explain it, the likeliest first. */
  hypotheses: Hypothesis[]
}

/** One thing to change, and what each outcome would mean. */
export interface Experiment {
  toggle: Hypothesis
  /** What to do, one sentence. */
  instruction: string
  ifItWorks: string
  ifItFails: string
}

export interface SiteComparison {
  host: string
  verdict: 'differs' | 'same' | 'fails-everywhere' | 'not-comparable'
  /** One sentence. */
  summary: string
  /** Where it works and where it fails, by label. */
  works: string[]
  fails: string[]
  /** Others that fail alike, which are not told one by one. */
  alsoIn?: string[]
  control?: LabelledObservation
  test?: LabelledObservation
  /** What is different between the two networks. */
  changed?: NetworkVariable[]
  difference?: Difference
  /** Other observations that leave fewer explanations. */
  settledBy?: string[]
  next?: Experiment
}

/** Something found of a whole epoch that sites suffer from. */
export interface ComparisonNote {
  label: string
  id: string
  severity: Severity
  summary: string
}

export interface Comparison {
  tool: { name: 'tunnelscope'; version: string }
  schema: number
  /** The contexts compared, with their label. */
  contexts: { label: string; files: string[]; network: string; resolvers: string[]; start: string }[]
  sites: SiteComparison[]
  notes: ComparisonNote[]
}
