// What the system said, in words. Node's own message names the code, the call and the path once more.

/**
 * `ENOENT: no such file or directory, open '/x'` as `no such file or directory`, and `listen EADDRINUSE: address already
 * in use 127.0.0.1:80` as `address already in use`; anything else as it is.
 */
export function systemErrorText(error: unknown): string {
  const { message } = error as Error
  return /^(?:\w+ )?[A-Z][A-Z0-9]+: (.*?)(?:, \w+(?: '.*)?| \S+:\d+)?$/s.exec(message)?.[1] ?? message
}
