// What a cap child writes and its source reads.

/** Captured length, wire length, time. */
export const CAP_RECORD_HEAD_LEN = 16
