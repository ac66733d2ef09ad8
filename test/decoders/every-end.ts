// For decoders that are given an end: what lies behind it must not matter, and no end may make them throw.

/** Calls `read` with each length, once before zeros and once before 0xff; both must say the same. Returns all answers. */
export function everyEnd<T>(bytes: ArrayLike<number>, read: (bytes: Uint8Array, endAt: number) => T): T[] {
  const answers: T[] = []
  for (let endAt = 0; endAt <= bytes.length; endAt++) {
    const [zeros, ones] = [0x00, 0xff].map((filler) => {
      const memory = new Uint8Array(bytes.length + 64).fill(filler)
      memory.set(Array.from(bytes).slice(0, endAt))
      return read(memory, endAt)
    }) as [T, T]
    expect({ endAt, answer: ones }).toEqual({ endAt, answer: zeros })
    answers.push(zeros)
  }
  return answers
}
