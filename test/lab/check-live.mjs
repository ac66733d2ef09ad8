// Plays the lab with a VPN up, opens its sites with `check` on the client, and holds what is said against what the lab made:
// which sites fail there, and why. Scenarios 41 to 44 are ours (scenarios/).
//   npm run test:check-live -- [--seeds 0] [--vpn wg,ovpn,tun] [--scenarios 41-44] [--keep DIR]
// Needs root and the lab's programs; says so when they are not there.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLI, labOptions, labWithOurs, missing, play, ROOT } from './lab.mjs'

/** Seconds that one check may take: nothing here waits for a site that is silent for ever on every way. */
const MAX_SECONDS = 60

/** By scenario: what is opened (`n`: the lab's names), and what has to be said of it. */
const CHECKS = {
  41: (n) => {
    const withIsp = ['--resolver', n.isp]
    return [
      { url: `https://${n.ok}/`, flags: withIsp, says: works(n.eth, n.tun) },
      { url: `https://${n.ok}/`, flags: [...withIsp, '--ca', 'ca.pem'], says: trusted },
      { url: `https://${n.ok4}/`, flags: [], says: works(n.eth, n.tun) },
      { url: `https://${n.sitea}/`, flags: withIsp, says: differs(n, 'gateway', 'gateway-error', '502', n.sitea4) },
      {
        url: `http://${n.sitea}/cart?id=secret`,
        flags: [],
        says: differs(n, 'gateway', 'gateway-error', '502', n.sitea4),
      },
      { url: `https://${n.siteb}/`, flags: withIsp, says: differs(n, 'address-range', 'refused', '403', n.siteb4) },
      { url: `https://${n.reset}/`, flags: withIsp, says: differs(n, 'tls', 'reset') },
      { url: `http://${n.bad}/`, flags: withIsp, says: divergence(n, n.bad4, '502') },
      { url: `https://${n.none}/`, flags: withIsp, says: divergence(n, n.none4, 'refused') },
      { url: `https://${n.bad}/`, flags: [], says: noOutsideAnswer },
      { url: 'https://slow.example/', flags: withIsp, says: resolverOf('slow', '') },
      { url: 'https://missing.example/', flags: withIsp, says: resolverOf('no-address', 'NXDOMAIN') },
      { url: `https://${n.sitea}/`, flags: ['-i', n.tun], says: failsOnly(n.tun) },
    ]
  },
  42: (n) => [
    { url: `https://${n.ok}/`, flags: ['--resolver', n.isp], says: blackHole(n) },
    { url: `http://${n.ok}/`, flags: ['--resolver', n.isp], says: works(n.eth, n.tun) },
  ],
  44: (n) => [
    { url: `https://${n.ok}/`, flags: ['--resolver', n.isp], says: killSwitch(n) },
    { url: `https://${n.sitea}/`, flags: ['--resolver', n.isp], says: failsOnly(n.tun) },
  ],
  43: (n) => [{ url: `https://${n.ok}/large`, flags: ['--resolver', n.isp], says: worksWithPtb(n) }],
}

if (process.argv[2] === '--ask') ask(process.argv[3], process.argv[4])
else run()

function run() {
  const DEFAULTS = { seeds: '0', vpn: 'wg,ovpn,tun', scenarios: '41-44' }
  const { seeds, vpn, scenarios, keep: kept } = labOptions('test:check-live', DEFAULTS)
  const why = missing()
  if (why !== undefined) {
    console.log(`test:check-live did not run: ${why}`)
    return
  }
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'tunnelscope-check-'))
  const lab = labWithOurs(folder)
  let wrong = 0
  for (const scenario of scenarios) {
    for (const kind of vpn) {
      for (const seed of seeds) {
        const out = join(folder, `${scenario}-${kind}-${seed}`)
        rmSync(out, { recursive: true, force: true })
        mkdirSync(out, { recursive: true })
        const after = `${process.execPath} ${join(ROOT, 'test/lab/check-live.mjs')} --ask ${scenario} ${out}`
        const more = [
          '--ready-wait',
          '0',
          '--linger',
          '0',
          '--max-secs',
          '110',
          '--after',
          after,
          '--',
          'sleep',
          '1000',
        ]
        if (!play(lab, ['up', `${scenario}`], kind, seed, out, more))
          console.log(`${scenario} ${kind} ${seed}: the lab itself failed`)
        wrong += show(`${scenario}  ${kind}-${seed}`.padEnd(12), out)
      }
    }
  }
  if (kept === undefined) rmSync(folder, { recursive: true })
  console.log(wrong === 0 ? 'all right' : `${wrong} wrong`)
  process.exitCode = wrong === 0 ? 0 : 1
}

/** On the client, while the VPN is up. */
function ask(scenario, out) {
  const names = JSON.parse(readFileSync(join(out, 'names.json'), 'utf8'))
  const rows = CHECKS[scenario](names).map(({ url, flags, says }, index) => {
    const started = Date.now()
    const file = join(out, `${index + 1}.pcapng`)
    const words = ['check', url, ...flags, '-w', file]
    const made = spawnSync(process.execPath, [CLI, ...words, '--json'], { cwd: out, encoding: 'utf8' })
    const seconds = (Date.now() - started) / 1000
    writeFileSync(join(out, `${index + 1}.json`), made.stdout)
    writeFileSync(join(out, `${index + 1}.txt`), made.stderr)
    const faults = made.status === 0 ? says(JSON.parse(made.stdout)) : [`exit ${made.status}: ${made.stderr.trim()}`]
    if (seconds > MAX_SECONDS) faults.push(`took ${seconds} s`)
    if (made.status === 0) faults.push(...everywhere(JSON.parse(made.stdout), made.stdout, readFileSync(file)))
    const [first] = made.status === 0 ? JSON.parse(made.stdout).sites.filter((one) => one.verdict === 'differs') : []
    const axis =
      first?.difference === undefined
        ? ''
        : ` ${first.difference.axis} ${first.difference.cause}, ${first.difference.confidence}`
    const word = made.status === 0 ? JSON.parse(made.stdout).verdict.word : '-'
    return { line: `${words.slice(1, -2).join(' ')}: ${word}${axis} (${seconds.toFixed(1)} s)`, faults }
  })
  writeFileSync(join(out, 'rows.json'), JSON.stringify(rows))
}

function show(run, out) {
  const file = join(out, 'rows.json')
  const rows = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : [{ line: 'nothing was checked', faults: ['no rows'] }]
  for (const { line, faults } of rows) {
    console.log(`${run} ${(faults.length === 0 ? 'ok' : `WRONG: ${faults.join('; ')}`).padEnd(4)} ${line}`)
  }
  return rows.filter((one) => one.faults.length > 0).length
}

/** What holds of any report: our own probes are no leak, and the query is nowhere. */
function everywhere({ verdict, capture, findings }, json, packets) {
  const faults = []
  if (!verdict.complete) faults.push(`not complete: ${verdict.reasons.join(' ')}`)
  if (capture.packets === 0) faults.push('no packet was captured')
  const leaks = findings.filter((one) => /^dns-leak|^traffic-outside/.test(one.id))
  if (leaks.length > 0) faults.push(`called a leak: ${leaks[0].summary}`)
  if (json.includes('id=secret') || packets.includes('id=secret')) faults.push('the query was kept')
  return faults
}

function works(...interfaces) {
  return ({ verdict, ways }) => {
    const faults = verdict.word === 'works' ? [] : [`${verdict.word}: ${verdict.summary}`]
    for (const name of interfaces) {
      if (!ways.some((one) => one.interface === name && one.outcome === 'works')) faults.push(`not gone over ${name}`)
    }
    return faults
  }
}

function trusted(report) {
  const wrong = report.certificates.filter((one) => one.fault !== undefined)
  return [...(report.certificates.length === 0 ? ['no certificate'] : []), ...wrong.map((one) => one.fault)]
}

/** The site fails through the tunnel and works without it, for one reason, with these words in the sentence. */
function differs(n, axis, cause, ...words) {
  return ({ verdict, ways, sites }) => {
    const faults = verdict.word === 'differs' ? [] : [`${verdict.word}: ${verdict.summary}`]
    for (const one of ways) {
      const expected = one.interface === n.tun ? 'fails' : 'works'
      if (one.outcome !== expected) faults.push(`way ${one.way} ${one.outcome}`)
    }
    const told = sites.filter((one) => one.verdict === 'differs')
    if (told.length !== 1) faults.push(`${told.length} differences`)
    const { difference, summary = '' } = told[0] ?? {}
    if (difference?.axis !== axis || difference?.cause !== cause)
      faults.push(`${difference?.axis} ${difference?.cause} instead of ${axis} ${cause}`)
    for (const word of words) if (!summary.includes(word)) faults.push(`${word} not quoted`)
    return faults
  }
}

/** The VPN's resolver is wrong, and the experiment shows it: the other one's answer works through the same tunnel. */
function divergence(n, wrong, failure) {
  return ({ ways, sites }) => {
    const faults = []
    for (const one of ways) {
      const expected = one.resolver.address === n.tunnel ? 'fails' : 'works'
      if (one.outcome !== expected) faults.push(`way ${one.way} ${one.outcome}`)
    }
    const [told] = sites.filter((one) => one.verdict === 'differs')
    const { axis, confidence, hypotheses } = told?.difference ?? {}
    if (axis !== 'dns' || confidence !== 'proven' || `${hypotheses}` !== 'resolver')
      faults.push(`${axis}, ${confidence}, ${hypotheses}`)
    for (const word of [wrong, failure]) if (told?.summary.includes(word) !== true) faults.push(`${word} not quoted`)
    return faults
  }
}

function noOutsideAnswer({ verdict, notes }) {
  const faults = verdict.word === 'fails' ? [] : [verdict.word]
  if (verdict.summary.includes('not to blame')) faults.push(verdict.summary)
  if (!notes.some((one) => one.includes('--resolver'))) faults.push('no advice to name a resolver')
  return faults
}

function resolverOf(cause, word) {
  return ({ sites }) => {
    const [told] = sites.filter((one) => one.verdict === 'differs')
    const faults =
      told?.difference?.cause === cause && told.difference.axis === 'dns' ? [] : [`${told?.difference?.cause}`]
    if (told?.summary.includes(word) !== true) faults.push(`${word} not quoted`)
    return faults
  }
}

function failsOnly(name) {
  return ({ verdict, ways }) => [
    ...(verdict.word === 'fails' ? [] : [verdict.word]),
    ...(ways.every((one) => one.interface === name || one.outcome === 'unknown') ? [] : ['another interface']),
  ]
}

/** What did not leave is nobody's fault: the way is not gone, and the site does not fail for it. */
function killSwitch(n) {
  return (report) => {
    const faults = works(n.tun)(report)
    const outside = report.ways.filter((one) => one.interface === n.eth)
    for (const one of outside) {
      if (one.outcome !== 'unknown' || !/left this machine/.test(one.fault ?? ''))
        faults.push(`way ${one.way}: ${one.outcome}, ${one.fault}`)
    }
    return outside.length === 0 ? [...faults, 'not tried outside'] : faults
  }
}

function blackHole(n) {
  return (report) => {
    const faults = differs(n, 'mtu', 'size', 'bytes die')(report)
    if (!report.findings.some((one) => one.id === 'mtu-black-hole')) faults.push('no finding mtu-black-hole')
    return faults
  }
}

function worksWithPtb(n) {
  return (report) => {
    const faults = works(n.eth, n.tun)(report)
    if (!report.findings.some((one) => /^mtu-outer-(ptb|fragmented)$/.test(one.id)))
      faults.push('no finding about the path’s size')
    return faults
  }
}
