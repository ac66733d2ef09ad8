// Two network namespaces with a cable between them, v0 and v1: what a live benchmark measures in. Needs root.
import { spawnSync } from 'node:child_process'

/** Both ends are up. `remove` takes the namespaces away with all in them. */
export function layCable(prefix) {
  const near = `${prefix}${process.pid}a`
  const far = `${prefix}${process.pid}b`
  for (const name of [near, far]) ip('netns', 'add', name)
  ip('-n', near, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', far)
  ip('-n', near, 'link', 'set', 'v0', 'up')
  ip('-n', far, 'link', 'set', 'v1', 'up')
  const remove = () => {
    for (const name of [near, far]) ip('netns', 'del', name)
  }
  return { near, far, remove }
}

export function ip(...words) {
  const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' })
  if (status !== 0) fail(`ip ${words.join(' ')}: ${stderr}`)
}

export function fail(sentence) {
  console.error(sentence)
  process.exit(2)
}
