// What the person running us can mend: one code, one helpful sentence, exit status 2.

export class OperatorError extends Error {
  readonly code: string

  /** `code` is stable and kebab-case; `sentence` names what, where and what to do. */
  constructor(code: string, sentence: string) {
    super(sentence)
    this.name = 'OperatorError'
    this.code = code
  }
}
