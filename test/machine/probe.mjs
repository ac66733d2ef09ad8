// Runs in the unit's own sandbox, as its user: walks everything it can see and says what it can read and write beyond what
// everybody can, and tries what it must not be able to do. Prints one line of JSON.
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { accessSync, constants, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Walked apart, or without end. */
const APART = new Set(['/proc', '/sys'])

const writable = []
const privateReadable = []
const seen = { files: 0, readable: 0 }

function can(path, mode) {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/** A directory is writable when a file can be made in it; asking alone is not believed. */
function canMakeFile(folder) {
  const path = join(folder, '.tunnelscope-probe')
  try {
    writeFileSync(path, '')
    rmSync(path)
    return true
  } catch {
    return false
  }
}

function walk(path) {
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (status === undefined || status.isSymbolicLink()) return
  seen.files++
  const isOthers = (status.mode & 0o004) !== 0
  if (can(path, constants.R_OK)) {
    seen.readable++
    if (!isOthers) privateReadable.push(path)
  }
  if (!status.isDirectory()) {
    if (can(path, constants.W_OK)) writable.push(path)
    return
  }
  if (canMakeFile(path)) writable.push(`${path}/`)
  let names = []
  try {
    names = readdirSync(path)
  } catch {
    return
  }
  for (const name of names) {
    const next = join(path, name)
    if (!APART.has(next)) walk(next)
  }
}

function outcome(action) {
  try {
    const told = action()
    return told === undefined ? 'done' : String(told)
  } catch (error) {
    return error.code ?? error.status ?? error.message
  }
}

function isOurs(pid) {
  return lstatSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === process.getuid()
}

function sendOut(address) {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', (error) => resolve(error.code))
    socket.send('x', 53, address, (error) => {
      socket.close()
      resolve(error?.code ?? 'sent')
    })
  })
}

walk('/')
const told = {
  user: process.getuid(),
  groups: process.getgroups(),
  seen,
  writable,
  privateReadable,
  otherProcesses: readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !isOurs(name)).length,
  ownProc: outcome(() => readFileSync('/proc/self/status', 'utf8').length > 0),
  othersProc: outcome(() => readFileSync('/proc/1/environ')),
  kernelSettings: outcome(() => writeFileSync('/proc/sys/kernel/hostname', 'x')),
  devices: readdirSync('/dev').sort().join(' '),
  home: outcome(() => readdirSync('/root').length),
  becomeRoot: outcome(() => execFileSync('setpriv', ['--reuid=0', 'true'], { stdio: 'pipe' })),
  newNamespace: outcome(() => execFileSync('unshare', ['--user', '--map-root-user', 'true'], { stdio: 'pipe' })),
  sendOut: await sendOut('192.0.2.53'),
  sendHome: await sendOut('127.0.0.1'),
}
process.stdout.write(`probe ${JSON.stringify(told)}\n`)
