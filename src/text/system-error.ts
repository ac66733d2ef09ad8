// What the system said, in words. Node's own message names the code, the call and the path once more.

/** `ENOENT: no such file or directory, open '/x'` as `no such file or directory`; anything else as it is. */
export function systemErrorText(error: unknown): string {
  const { message } = error as Error
  return /^[A-Z][A-Z0-9]+: (.*?)(?:, \w+(?: '.*)?)?$/s.exec(message)?.[1] ?? message
}
