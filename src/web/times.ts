// Times for people: this machine's own zone. What is no time is shown as dashes.

/** `17:03:14`. */
export function clockText(millis: number): string {
  const date = new Date(millis)
  if (Number.isNaN(date.getTime())) return '--:--:--'
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')
}

/** The time of day, of another day than `nowMillis` with its date: `11-22 17:03:14`. */
export function whenText(iso: string, nowMillis: number): string {
  const date = new Date(iso)
  const clock = clockText(date.getTime())
  if (Number.isNaN(date.getTime()) || date.toDateString() === new Date(nowMillis).toDateString()) return clock
  return `${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${clock}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
