// `interfaces`: every interface of this machine, what it is for us, and why. Needs no rights.
import type { Command } from 'commander'
import type { InterfaceState, NetworkContext } from '../../model/network-context.ts'
import type { InterfaceRole } from '../../model/report.ts'
import { escapeForTerminal, escapeInJson } from '../../text/escape.ts'
import { createStyle, type Style } from '../../text/style.ts'
import { type Cell, tableLines } from '../../text/table.ts'
import { outputWidth, usesColour } from '../terminal.ts'

export function addInterfacesCommand(program: Command): void {
  program
    .command('interfaces')
    .description(
      'Every interface, its role (physical, tunnel, loopback, virtual), MTU, addresses, and why it has that role.',
    )
    .option('--json', 'print them as JSON')
    .action(runInterfaces)
}

async function runInterfaces(flags: { json?: boolean }): Promise<void> {
  const { openNetworkWatch } = await import('../../capture/open-watch.ts')
  const watch = openNetworkWatch()
  const context = watch.current
  watch.close()
  process.stdout.write(
    flags.json === true
      ? `${escapeInJson(JSON.stringify(jsonOf(context), undefined, 2))}\n`
      : `${interfaceTable(context, createStyle(usesColour(process.stdout)), outputWidth()).join('\n')}\n`,
  )
}

/** The table's lines. */
export function interfaceTable(context: NetworkContext, style: Style, width: number): string[] {
  const head: Cell[] = ['interface', 'role', 'state', 'mtu', 'why', 'addresses'].map((text) => ({
    text,
    paint: style.dim,
  }))
  const rows = context.interfaces.map((one): Cell[] => [
    { text: escapeForTerminal(one.link.name), paint: style.name },
    { text: one.role, paint: rolePaint(one.role, style) },
    stateOf(one),
    { text: String(one.link.mtu), paint: (text) => text, right: true },
    escapeForTerminal(one.reason),
    one.addresses.map(({ address, prefixLen }) => `${address}/${prefixLen}`).join(' '),
  ])
  return [...tableLines([head, ...rows], width, 0), '', ...wayLines(context)]
}

/** `up`, `no carrier` or `down`. */
function stateOf({ link }: InterfaceState): string {
  if (!link.up) return 'down'
  return link.carrier ? 'up' : 'no carrier'
}

function rolePaint(role: InterfaceRole, style: Style): (text: string) => string {
  return role === 'tunnel' ? style.good : role === 'physical' ? style.bold : style.dim
}

/** One sentence a family: where the public internet leaves. */
function wayLines(context: NetworkContext): string[] {
  return context.egress.map(({ family, interfaceIndex, mode, shape, table, gateway }) => {
    const way = context.interfaces.find((one) => one.link.index === interfaceIndex)
    if (way === undefined) return `IPv${family} leaves nowhere: there is no route to public addresses.`
    const routes = shape === 'halves' ? '0/1 and 128/1' : shape === 'prefixes' ? 'several prefixes' : 'a default route'
    const where = table === undefined ? '' : ` in table ${table}`
    const by = `${routes}${where}${gateway === undefined ? '' : `, via ${gateway}`}`
    const split = mode === 'split' ? '; a part takes another way' : ''
    return `IPv${family} leaves by ${escapeForTerminal(way.link.name)} (${way.role}): ${by}${split}.`
  })
}

function jsonOf({ interfaces, egress, dnsServers }: NetworkContext): unknown {
  return {
    interfaces: interfaces.map((one) => ({
      name: one.link.name,
      index: one.link.index,
      role: one.role,
      reason: one.reason,
      state: stateOf(one),
      mtu: one.link.mtu,
      addresses: one.addresses.map(({ address, prefixLen }) => `${address}/${prefixLen}`),
    })),
    egress: egress.map(({ family, interfaceIndex, mode }) => ({
      family,
      interface: interfaces.find((one) => one.link.index === interfaceIndex)?.link.name ?? null,
      mode,
    })),
    resolvers: dnsServers,
  }
}
