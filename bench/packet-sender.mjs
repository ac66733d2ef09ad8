// Who sends the packets of a benchmark: our own sender (native/test/send_packets.cc), built when there is a compiler, for it takes
// the least from the machine that is measured; tcpreplay otherwise.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('../native/test/send_packets.cc', import.meta.url))
const FOREVER = 1e9

/** `folder` takes the program. `command` gives the words that send; `pps` 0 = as fast as it goes, `loops` absent = for ever. */
export function packetSender(folder) {
  const program = join(folder, 'send_packets')
  const built = spawnSync(process.env.CXX ?? 'c++', ['-O2', '-std=c++17', '-o', program, SOURCE])
  const pattern = /([\d.]+) pps/
  if (built.status === 0) {
    return {
      name: 'our own sender',
      pattern,
      command: (device, file, { loops = FOREVER, pps = 0 } = {}) => [program, device, file, `${loops}`, `${pps}`],
    }
  }
  return {
    name: 'tcpreplay',
    pattern,
    command(device, file, { loops = 0, pps = 0 } = {}) {
      const pace = pps === 0 ? '--topspeed' : `--pps=${pps}`
      return ['tcpreplay', '-i', device, '-q', '-K', pace, `--loop=${loops}`, file]
    },
  }
}
