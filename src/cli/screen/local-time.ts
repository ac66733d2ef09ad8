// Times for people: the machine's own zone, always the same width. What is no time is shown as dashes.

/** `17:03:14`. */
export function localTime(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return '--:--:--'
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')
}

/** `11-22 17:03:14`. */
export function localDateTime(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return '--------------'
  return `${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${localTime(iso)}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
