// Installs the .deb on a whole Debian machine (systemd as first process, Debian's nodejs) and holds the service to its word:
// start, rights, what it can touch, findings, reload, watchdog, kill, upgrade, reboot, stop, removal; then the same with
// install-service. Usage: npm run test:machine -- [FILE.deb] [--cache DIR]
// Needs root, debootstrap and systemd-container; says so when they are not there.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scriptOptions } from '../../scripts/script-options.mjs'
import { bootMachine, debianRoot, missing } from './machine.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const PROJECT = dirname(dirname(HERE))
const UNIT = 'tunnelscope.service'
const CONFIG = '/etc/tunnelscope/tunnelscope.toml'
const STATE = '/var/lib/tunnelscope'
const CLI = '/usr/bin/tunnelscope'
/** Changes by itself on any running system, or is dpkg's memory of what was there. */
const RESTLESS =
  /^\/(var\/(log\/journal|log\/(apt|dpkg\.log|wtmp|btmp|lastlog|alternatives\.log)|lib\/(dpkg|apt|systemd)|cache|tmp)|root\/|etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?$|etc\/\.pwd\.lock|etc\/machine-id|tmp|run|proc|sys|dev)/

let failures = 0
function check(words, holds, seen) {
  if (!holds) failures++
  console.log(`${holds ? 'ok  ' : 'FAIL'}  ${words}${seen === undefined ? '' : `: ${seen}`}`)
}

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis))
async function until(seconds, holds) {
  const start = performance.now()
  while (performance.now() - start < seconds * 1000) {
    if (holds()) return ((performance.now() - start) / 1000).toFixed(1)
    await pause(200)
  }
  return undefined
}

const USAGE = 'usage: npm run test:machine -- [FILE.deb] [--cache DIR], as root'
const { values, words } = scriptOptions(USAGE, { cache: { type: 'string' } }, 1)
const lacking = missing()
if (lacking !== '') {
  console.log(`test:machine did not run: it needs ${lacking}`)
  process.exit(0)
}
const cache = values.cache ?? '/var/tmp/tunnelscope-machine'
mkdirSync(cache, { recursive: true })
const deb = words[0] ?? buildDeb()
const machine = await bootMachine(debianRoot(cache))
const { run, tell, tree } = machine
try {
  await story()
} finally {
  await machine.end()
}
console.log(failures === 0 ? 'everything held' : `${failures} checks FAILED`)
process.exitCode = failures === 0 ? 0 : 1

function buildDeb() {
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-deb-'))
  execFileSync('bash', [join(PROJECT, 'packaging/build-deb.sh'), folder], { stdio: 'ignore' })
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.deb')),
  )
}

async function story() {
  console.log(`machine ${machine.state}: ${tell('systemctl', '--version').split('\n')[0]}, node ${tell('node', '-v')}`)
  copyFileSync(deb, join(tree, 'root/package.deb'))
  const far = network()
  const before = files()
  await installedPackage()
  await rights()
  await findings()
  await reload()
  await dashboard()
  await restarts()
  await upgrade()
  await stop()
  removal(before)
  far.kill()
  await installService()
  await rebooted()
}

/** eth0 with a way out, and a resolver that listens and never answers. */
function network() {
  tell('ip', 'netns', 'add', 'far')
  tell('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far0', 'netns', 'far')
  tell('ip', 'addr', 'add', '192.0.2.10/24', 'dev', 'eth0')
  tell('ip', 'link', 'set', 'eth0', 'up')
  tell('ip', 'route', 'add', 'default', 'via', '192.0.2.53')
  for (const step of ['addr add 192.0.2.53/24 dev far0', 'link set far0 up']) {
    tell('ip', '-n', 'far', ...step.split(' '))
  }
  writeFileSync(join(tree, 'etc/resolv.conf'), 'nameserver 192.0.2.53\noptions attempts:2 timeout:1\n')
  const listen = "require('dgram').createSocket('udp4').bind(53, '192.0.2.53')"
  return machine.start('ip', 'netns', 'exec', 'far', 'node', '-e', listen)
}

async function installedPackage() {
  const apt = ['apt-get', 'install', '-y', '--no-install-recommends', '/root/package.deb']
  const { status, text } = run('env', 'DEBIAN_FRONTEND=noninteractive', ...apt)
  check('the .deb installs by apt, its Depends met by Debian’s own packages', status === 0, text.split('\n').at(-1))
  check('the service is up at once and at every boot', show('ActiveState') === 'active' && enabled() === 'enabled')
  check('readiness came from the program', show('Type') === 'notify', show('StatusText'))
  check('the watchdog is armed', show('WatchdogUSec') === '30s', show('WatchdogTimestamp'))
  console.log(indented(tell('systemctl', 'status', '--no-pager', UNIT)))
  const exposure = run('systemd-analyze', 'security', '--no-pager', UNIT).text.split('\n').at(-1)
  check('exposure at most 1.5', Number(/: ([\d.]+)/.exec(exposure)?.[1]) <= 1.5, exposure)
}

async function rights() {
  const threads = tell('sh', '-c', `cat /proc/${show('MainPID')}/task/*/status`)
  const fields = (name) => [...threads.matchAll(new RegExp(`^${name}:\\s*(.*)$`, 'gm'))].map((match) => match[1])
  const user = tell('id', '-u', 'tunnelscope')
  check(
    'no thread has a capability, each has no_new_privs, each is the service user',
    ['CapPrm', 'CapEff', 'CapAmb'].every((name) => fields(name).every((mask) => /^0+$/.test(mask))) &&
      fields('NoNewPrivs').every((one) => one === '1') &&
      fields('Uid').every((one) => one === Array(4).fill(user).join('\t')),
    `${fields('Uid').length} threads of user ${user}`,
  )
  // The unit's own sandbox around another program.
  copyFileSync(join(HERE, 'probe.mjs'), join(tree, 'opt/probe.mjs'))
  const unit = tell('cat', `/usr/lib/systemd/system/${UNIT}`)
  const probe = unit
    .replace('Type=notify', 'Type=oneshot')
    .replace(/^ExecStart=.*$/m, 'ExecStart=/usr/bin/node /opt/probe.mjs')
    .replace(/^(WatchdogSec|Restart|RestartSec)=.*\n/gm, '')
    // The directories stay when the probe ends.
    .replace('[Service]', '[Service]\nRuntimeDirectoryPreserve=yes')
  writeFileSync(join(tree, 'etc/systemd/system/probe.service'), probe)
  tell('systemctl', 'daemon-reload')
  run('systemctl', 'start', 'probe.service')
  const said = run('journalctl', '--no-pager', '-o', 'cat', '-u', 'probe.service').text
  const line = /^probe (.*)$/m.exec(said)
  check('the probe ran in the unit’s sandbox', line !== null, line === null ? said : undefined)
  rmSync(join(tree, 'etc/systemd/system/probe.service'))
  rmSync(join(tree, 'opt/probe.mjs'))
  tell('systemctl', 'daemon-reload')
  if (line === null) return
  const told = JSON.parse(line[1])
  console.log(indented(JSON.stringify(told, undefined, 2)))
  // Sockets of the journal and of systemd's public services are everybody's.
  const allowed =
    /^\/((var\/lib|var\/log|run)\/tunnelscope|tmp|var\/tmp|dev|run\/systemd\/(journal|userdb|notify|io\.systemd))/
  check(
    'it writes only its directories, its own /tmp and devices',
    told.writable.every((path) => allowed.test(path)),
  )
  const own = /^\/(var\/lib\/tunnelscope|var\/log\/tunnelscope|run\/tunnelscope)(\/|$)/
  check(
    'beyond what everybody reads it reads only its own',
    told.privateReadable.every((path) => own.test(path)),
  )
  check('it sees no process but its own user’s', told.otherProcesses === 0 && told.othersProc === 'ENOENT')
  check('it cannot become root, nor make a namespace', told.becomeRoot !== 'done' && told.newNamespace !== 'done')
  check('its sockets reach this machine only', told.sendOut === 'EPERM' && told.sendHome === 'sent')
}

async function findings() {
  const ask = `const { Resolver } = require('dns'); new Resolver({ timeout: 500, tries: 2 }).resolve4('host' + process.argv[1] + '.example', () => {})`
  for (let index = 0; index < 12; index++) run('node', '-e', ask, String(index))
  const seconds = await until(40, () => findingNumber() !== undefined)
  check('a finding is stored and served', seconds !== undefined, run(CLI, 'findings').text.split('\n').at(-1))
  if (seconds === undefined) return
  await until(10, () => run('sh', '-c', `ls ${STATE}/evidence/*`).status === 0)
  const listed = tell('find', STATE, '-printf', '%m %u %y %P\n').split('\n').sort()
  console.log(indented(listed.join('\n')))
  check(
    'store and evidence are the service user’s alone',
    listed.every((line) => / tunnelscope /.test(line) && (/^600 .* f /.test(line) || /^700 .* d /.test(line))),
  )
  const number = findingNumber()
  const { status, text } = run(CLI, 'export', '--finding', String(number), '-w', '/root/finding.pcapng')
  check('it is exported with its packets', status === 0, text.split('\n')[0])
  const askStatus =
    'const r = require("http").get({ socketPath: "/run/tunnelscope/tunnelscope.sock", path: "/api/v1/status" }, (a) => { console.log(a.statusCode); a.resume() }); r.on("error", (e) => console.log(e.code))'
  const asked = (...groups) => run('setpriv', '--reuid=1234', '--regid=1234', ...groups, 'node', '-e', askStatus).text
  check('a member of the group may ask', asked('--groups', tell('id', '-g', 'tunnelscope')) === '200')
  check('anybody else may not', asked('--clear-groups') === 'EACCES')
}

function findingNumber() {
  const { status, text } = run(CLI, 'findings', '--json')
  if (status !== 0 || text === '') return undefined
  const [first] = text.split('\n')
  return JSON.parse(first).number
}

async function reload() {
  const config = tell('cat', CONFIG)
  const change = async (line, other) => {
    writeFileSync(join(tree, CONFIG), config.replace(line, other))
    const since = mark()
    const { status } = run('systemctl', 'reload', UNIT)
    await until(5, () => journal(since).includes('onfiguration'))
    return `${status} ${journal(since)}`
  }
  const wrong = await change('[evidence]', '[evidense]')
  check(
    'a wrong file on reload changes nothing and is told',
    /did you mean/.test(wrong),
    lineWith(wrong, 'did you mean'),
  )
  const right = await change('# level = "info"', 'level = "debug"')
  check('a right one is taken over', /log\.level changed/.test(right), lineWith(right, 'log.level'))
  check('the same process all the while', show('ActiveState') === 'active' && show('NRestarts') === '0')
  writeFileSync(join(tree, CONFIG), config)
  run('systemctl', 'reload', UNIT)
}

/** The page is read before the rights go, and served to who has the key that the command prints. */
async function dashboard() {
  const config = tell('cat', CONFIG)
  writeFileSync(join(tree, CONFIG), config.replace('# listen = ', 'listen = '))
  run('systemctl', 'restart', UNIT)
  const url = lastLine(run(CLI, 'dashboard').text)
  check('the dashboard’s address is printed', /^http:\/\/127\.0\.0\.1:8477\/#[0-9a-f]{64}$/.test(url))
  const visit = `(async () => {
    const { origin, hash } = new URL(process.argv[1])
    const html = await (await fetch(origin)).text()
    const files = [...html.matchAll(/ (?:href|src)="(\\/[^"]+)"/g)].map((match) => match[1])
    const statuses = await Promise.all(files.map(async (file) => (await fetch(origin + file)).status))
    const session = await fetch(origin + '/api/v1/session', { method: 'POST', body: hash.slice(1) })
    const cookie = session.headers.get('set-cookie').split(';')[0]
    const status = await fetch(origin + '/api/v1/status', { headers: { cookie } })
    console.log(statuses.every((one) => one === 200), files.length > 10, session.status, status.status)
  })()`
  const seen = lastLine(run('node', '-e', visit, url).text)
  check('its files are served, and its code opens a session', seen === 'true true 204 200', seen)
  writeFileSync(join(tree, CONFIG), config)
  run('systemctl', 'restart', UNIT)
}

async function restarts() {
  const signal = async (name, seconds) => {
    const pid = show('MainPID')
    run('kill', `-${name}`, pid)
    return until(seconds, () => show('MainPID') !== pid && show('MainPID') !== '0' && show('ActiveState') === 'active')
  }
  const killed = await signal('KILL', 10)
  check('killed, it is started again', killed !== undefined, `${killed} s`)
  const stopped = await signal('STOP', 60)
  check('stopped, its watchdog starts it again', stopped !== undefined, `${stopped} s`)
  check('both were counted', show('NRestarts') === '2', show('NRestarts'))
  check('the findings are still there', findingNumber() !== undefined)

  const config = tell('cat', CONFIG)
  writeFileSync(join(tree, CONFIG), '[store]\npth = "/x"\n')
  const since = mark()
  run('systemctl', 'restart', UNIT)
  await pause(4000)
  const said = journal(since)
  check(
    'with a wrong file it ends with 2 and is not tried again',
    show('ExecMainStatus') === '2' && show('ActiveState') === 'failed' && show('NRestarts') === '0',
    lineWith(said, 'pth'),
  )
  writeFileSync(join(tree, CONFIG), config)
  run('systemctl', 'reset-failed', UNIT)
  run('systemctl', 'start', UNIT)
  check('mended, it starts', show('ActiveState') === 'active')
}

async function upgrade() {
  const pid = show('MainPID')
  const number = findingNumber()
  const { status } = run('dpkg', '-i', '/root/package.deb')
  await until(10, () => show('ActiveState') === 'active')
  check('an upgrade runs the new program', status === 0 && show('MainPID') !== pid && show('ActiveState') === 'active')
  check('and keeps the store', findingNumber() === number)
  run('systemctl', 'disable', '--now', UNIT)
  run('dpkg', '-i', '/root/package.deb')
  check('what the operator switched off stays off', enabled() === 'disabled' && show('ActiveState') === 'inactive')
  run('systemctl', 'enable', '--now', UNIT)
}

async function stop() {
  const start = performance.now()
  const { status } = run('systemctl', 'stop', UNIT)
  const millis = Math.round(performance.now() - start)
  check(
    'stops clean',
    status === 0 && show('Result') === 'success' && show('ExecMainStatus') === '0' && millis < 5000,
    `${millis} ms, ${lastLine(run('journalctl', '--no-pager', '-o', 'cat', '-u', UNIT, '-n', '3', '_COMM=node').text)}`,
  )
  check('its socket is gone', run('ls', '/run/tunnelscope').status !== 0)
  run('systemctl', 'start', UNIT)
}

function removal(before) {
  const { status } = run('dpkg', '-r', 'tunnelscope')
  const left = newFiles(before)
  console.log(indented(left.join('\n')))
  check('removed', status === 0)
  check(
    'what is left is the store, root’s now, and the configuration file, as dpkg keeps it until a purge',
    left.every((line) => line.includes(STATE) || line.includes('/etc/tunnelscope')) &&
      left.filter((line) => line.includes(STATE)).every((line) => line.startsWith('root:root ')) &&
      left.some((line) => line.endsWith('store.db')),
  )
  check('no user, no process, no unit', gone())
  run('dpkg', '-i', '/root/package.deb')
  check('installed again it finds its store', show('ActiveState') === 'active' && findingNumber() !== undefined)
  run('dpkg', '-P', 'tunnelscope')
  check('a purge leaves nothing', newFiles(before).length === 0, newFiles(before).join(', ') || undefined)
}

/** The same program from a directory, as npm leaves it. Homes are places that services may not see. */
async function installService() {
  tell('install', '-d', '-m', '700', '/home/ann')
  for (const home of ['/opt/tunnelscope', '/root/tunnelscope', '/home/ann/tunnelscope']) {
    tell(
      'sh',
      '-c',
      `rm -rf ${home}; mkdir /root/x; dpkg -x /root/package.deb /root/x; mv /root/x/usr/lib/tunnelscope ${home}; rm -r /root/x`,
    )
    const before = files()
    const main = `${home}/dist/cli/main.js`
    const { status, text } = run('node', main, 'install-service')
    console.log(indented(text))
    check(`install-service from ${home}`, status === 0 && show('ActiveState') === 'active', show('StatusText'))
    const pid = show('MainPID')
    const again = run('node', main, 'install-service')
    check(
      'a second time it starts anew',
      again.status === 0 && show('ActiveState') === 'active' && show('MainPID') !== pid,
    )
    const removed = run('node', main, 'uninstall-service')
    console.log(indented(removed.text))
    const left = newFiles(before)
    check(
      'uninstall-service leaves nothing but the store, root’s now',
      removed.status === 0 &&
        gone() &&
        left.length > 0 &&
        left.every((line) => line.startsWith('root:root ') && line.includes(STATE)),
      left.filter((line) => !line.includes(STATE)).join(', ') || undefined,
    )
    tell('rm', '-rf', home, STATE)
  }
}

async function rebooted() {
  run('dpkg', '-i', '/root/package.deb')
  const state = await machine.again()
  const seconds = await until(20, () => show('ActiveState') === 'active')
  check('after a reboot it is up', seconds !== undefined, `${state}, ${show('StatusText')}`)
}

function gone() {
  return (
    run('getent', 'passwd', 'tunnelscope').status !== 0 &&
    run('getent', 'group', 'tunnelscope').status !== 0 &&
    run('pgrep', '-f', 'cli/main.js').status !== 0 &&
    show('LoadState') === 'not-found'
  )
}

/** Everything on the machine's disk that does not change by itself. */
function files() {
  const listed = tell('find', '/', '-xdev', '-printf', '%u:%g %m %p\n').split('\n')
  return new Set(listed.filter((line) => !RESTLESS.test(line.split(' ').slice(2).join(' '))))
}

function newFiles(before) {
  const known = new Set([...before].map((line) => line.split(' ').slice(2).join(' ')))
  return [...files()].filter((line) => !known.has(line.split(' ').slice(2).join(' '))).sort()
}

function show(property) {
  return run('systemctl', 'show', UNIT, '-p', property, '--value').text
}

function enabled() {
  return run('systemctl', 'is-enabled', UNIT).text.split('\n').at(-1)
}

/** The journal's end, to read on from. */
function mark() {
  return /-- cursor: (.*)$/m.exec(tell('journalctl', '--no-pager', '-n', '1', '--show-cursor'))[1]
}

function journal(since) {
  return run('journalctl', '--no-pager', '-o', 'cat', '-u', UNIT, `--after-cursor=${since}`).text
}

function lineWith(text, word) {
  return text.split('\n').find((line) => line.includes(word))
}

function lastLine(text) {
  return text.trim().split('\n').at(-1)
}

function indented(text) {
  return text.replace(/^/gm, '      ')
}
