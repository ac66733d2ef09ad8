// What our exit status says.

/** The `--fail-on` threshold was reached. */
export const EXIT_FINDINGS = 1
/** The person running us can mend it; one sentence on stderr says how. */
export const EXIT_OPERATOR = 2
/** An input is damaged; what could be read is reported. Wins over EXIT_FINDINGS. */
export const EXIT_DAMAGED = 3
