// What V8 may take of the machine beside what the program needs: memory for what no longer lives, and its compiler's time.
// A watcher shares its machine, and V8 is made for programs that do not.
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Garbage is collected after the heap has grown by so much (V8 would let it double and more). Measured on 1 GB of mixed
 * captures: 60 MB less memory for 2-4 % of CPU time, which is no more than the noise.
 */
const HEAP_GROWTH_PERCENT = 40

/**
 * What the young generation may hold, both halves together (V8: 32 MiB and a third half while it copies). Measured on
 * 1 GB of mixed captures: 20 MB less memory and no more CPU time, for a smaller one stays in the processor's cache.
 */
const MAX_YOUNG_BYTES = 16 << 20

/**
 * Bytecode that the optimising compiler may put into one function from those it calls (V8: 920). We have a thousand hot
 * functions, and compiling them again and again inside each other took a quarter of all CPU time. Measured on 1 GB and
 * 3 GB of mixed captures: 15 % and 7 % less of it in all, and no more on the thread that analyses.
 */
const MAX_INLINED_BYTECODE = 100
/** Functions so small are put into their callers all the same (V8: 27): those that read a field, whose number is no object then. */
const SMALL_BYTECODE = 60

/** For the whole process, before it has done much. */
export function boundEngine(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`)
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${MAX_INLINED_BYTECODE}`)
  setFlagsFromString(`--max-inlined-bytecode-size-small=${SMALL_BYTECODE}`)
}

/**
 * Gives a function to be called now and then (it takes some ten microseconds), which stops the growth of young
 * generations in the whole process once that of its thread is large enough. In advance their size can be limited only by
 * a flag of the command line or, as the capture thread's is, for a worker thread.
 */
export function createYoungGenerationBound(): () => void {
  let isBound = false
  return () => {
    if (isBound) return
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')
    if (young === undefined || young.space_size < MAX_YOUNG_BYTES) return
    setFlagsFromString('--semi-space-growth-factor=1')
    isBound = true
  }
}
