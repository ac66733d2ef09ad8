// What the doctor looks at on this machine: the ring, the network, the packet filter, the service. Changes nothing.
import { execFileSync } from 'node:child_process'
import { createClient, type ServiceAddress } from '../api/client.ts'
import { openPacketRing } from '../capture/native-addon.ts'
import { openNetworkWatch } from '../capture/open-watch.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { Stats, Verdict } from '../model/report.ts'
import type { Config } from './config.ts'
import { type FirewallRules, iptablesOutputRules, nftOutputRules } from './dns-block.ts'
import type { DoctorFacts } from './doctor.ts'

/** The smallest ring there is. */
const TRIAL_RING_LEN = 1 << 20
const TRIAL_BLOCK_LEN = 64 << 10
const PROGRAM_TIMEOUT_MS = 5000

/** @throws OperatorError `network-watch`, `addon-missing` when not even the network can be looked at */
export async function doctorFacts(config: Config, address: ServiceAddress): Promise<DoctorFacts> {
  const watch = openNetworkWatch()
  const network = watch.current
  watch.close()
  const captureRefusal = tryRing()
  const firewall = readFirewall()
  const service = await askService(address)
  return {
    network,
    ...(captureRefusal === undefined ? {} : { captureRefusal }),
    ...(firewall === undefined ? {} : { firewall }),
    ...(service === undefined ? {} : { service }),
    chosenInterfaces: config.capture.interfaces,
    filter: config.capture.filter,
    backend: config.capture.backend,
  }
}

function tryRing(): string | undefined {
  try {
    const options = { ringLen: TRIAL_RING_LEN, blockLen: TRIAL_BLOCK_LEN, blockTimeoutMillis: 100, lockFilter: false }
    openPacketRing({ ...options, filter: new Uint8Array(0) }, () => {}).close()
    return undefined
  } catch (error) {
    if (error instanceof OperatorError) return error.message
    throw error
  }
}

/** Undefined when no program could tell; nft shows the rules that iptables-nft made as well. */
function readFirewall(): FirewallRules | undefined {
  const nft = outputOf('nft', 'list', 'ruleset')
  const legacy = ([4, 6] as const).flatMap((family) => {
    const saved = outputOf(family === 4 ? 'iptables-legacy-save' : 'ip6tables-legacy-save')
    return saved === undefined ? [] : iptablesOutputRules(saved, family)
  })
  if (nft !== undefined) return [...nftOutputRules(nft), ...legacy]
  const saved = ([4, 6] as const).map((family) => outputOf(family === 4 ? 'iptables-save' : 'ip6tables-save'))
  if (saved.every((text) => text === undefined)) return legacy.length === 0 ? undefined : legacy
  return [...iptablesOutputRules(saved[0] ?? '', 4), ...iptablesOutputRules(saved[1] ?? '', 6)]
}

function outputOf(program: string, ...words: string[]): string | undefined {
  try {
    return execFileSync(program, words, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: PROGRAM_TIMEOUT_MS,
    })
  } catch {
    // Not installed, or not allowed.
    return undefined
  }
}

async function askService(address: ServiceAddress): Promise<DoctorFacts['service']> {
  try {
    const status = (await createClient(address).get('status')) as {
      version: string
      stats: Stats | null
      verdict: Verdict | null
      store: { paused: boolean }
    }
    return {
      version: status.version,
      ...(status.stats === null ? {} : { dropped: status.stats.dropped }),
      verdictReasons: status.verdict?.reasons ?? [],
      storePaused: status.store.paused,
    }
  } catch (error) {
    if (error instanceof OperatorError) return undefined
    throw error
  }
}
