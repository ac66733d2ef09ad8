// Prints each network context as a line of JSON until SIGTERM; on SIGUSR1 asks for a dump.
import { ContextWatch } from '../../../src/capture/context-watch.ts'

const watch = new ContextWatch({ onChange: print, root: process.argv[2] ?? '' })
const timer = setInterval(print, 50)
process.on('SIGUSR1', () => watch.requestDump())
process.on('SIGTERM', () => {
  clearInterval(timer)
  watch.close()
})
print()

function print() {
  watch.refresh()
  for (const context of watch.takeChanges()) console.log(JSON.stringify(context))
}
